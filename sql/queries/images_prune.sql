-- Images that no instance runs and nobody waits for, unused for $1 days: they are marked, and their builds forgotten, so
-- that whoever asks for them later builds them anew. $2 true: only looked at. All that is marked is named, until it is
-- told that the registry has it no more.
with now as (
    select clock_timestamp() + clock_offset_us * interval '1 microsecond' - $1::bigint * interval '1 day' as cut from installation),
used as (
    select distinct v.value as image from instances i, jsonb_each_text(i.images) v where not i.gone),
free as (
    select m.build_key, m.image from images m, now
    where m.pruned_at is null and m.built_at < now.cut and m.image not in (select image from used)
        and not exists (select from steps s where s.state = 'open' and s.work_key = 'build:' || m.build_key)
        and not exists (select from works w, now where w.key = 'build:' || m.build_key
                        and (w.state = 'open' or w.settled_at >= now.cut))),
forgotten as (
    delete from works w using free f where w.key = 'build:' || f.build_key and not $2::boolean),
marked as (
    update images m set pruned_at = clock_timestamp() from free f where m.build_key = f.build_key and not $2::boolean)
select image from free
union
select m.image from images m
where m.pruned_at is not null and not exists (select from works w where w.key = 'build:' || m.build_key)
order by 1
