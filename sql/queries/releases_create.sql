-- What an app is called follows its newest release; one that is there already changes nothing.
with a as (
    insert into apps (name, title, summary, created_at)
    select $2::jsonb->>'app', $2::jsonb->'spec'->>'title', $2::jsonb->'spec'->>'summary', clock_timestamp()
    on conflict (name) do nothing),
r as (
    insert into releases (id, app, version, spec, template, created_at)
    select $1::uuid, $2::jsonb->>'app', $2::jsonb->'spec'->>'version', $2::jsonb->'spec', $2::jsonb->>'template', clock_timestamp()
    on conflict do nothing returning id, app, spec),
renamed as (
    update apps set title = r.spec->>'title', summary = r.spec->>'summary' from r where apps.name = r.app)
select id from r
