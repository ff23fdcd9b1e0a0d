with a as (
    insert into apps (name, title, summary, created_at)
    select $2::jsonb->>'app', $2::jsonb->'spec'->>'title', $2::jsonb->'spec'->>'summary', clock_timestamp()
    on conflict (name) do update set title = excluded.title, summary = excluded.summary returning name)
insert into releases (id, app, version, spec, template, created_at)
select $1::uuid, a.name, $2::jsonb->'spec'->>'version', $2::jsonb->'spec', $2::jsonb->>'template', clock_timestamp() from a
on conflict do nothing returning id
