-- Images that nothing has used for $1 days: they are marked, and their builds forgotten, so that whoever asks for them later
-- builds them anew. $2 true: only looked at. All that is marked is named, $3 of them at most, until it is told that the
-- registry has it no more. An image may have several keys, and is kept when one of them is.
with now as (
    select clock_timestamp() + clock_offset_us * interval '1 microsecond' - $1::bigint * interval '1 day' as cut from installation),
kept as (
    select v.value as image from now, instances i, jsonb_each_text(i.images) v where not i.gone or i.updated_at >= now.cut
    union
    select v.value from sets s, jsonb_each_text(s.images) v where s.state <> 'gone'
    union
    select m.image from images m, now where m.built_at >= now.cut
    union
    select m.image from images m join works w on w.key = 'build:' || m.build_key, now
    where w.state = 'open' or w.settled_at >= now.cut
    union
    select m.image from images m join steps s on s.state = 'open' and s.work_key = 'build:' || m.build_key),
free as (
    select m.build_key, m.image from images m where m.pruned_at is null and m.image not in (select image from kept)),
forgotten as (
    delete from works w using free f where w.key = 'build:' || f.build_key and not $2::boolean),
marked as (
    update images m set pruned_at = clock_timestamp() from free f where m.build_key = f.build_key and not $2::boolean)
select image from free
union
select m.image from images m where m.pruned_at is not null and m.image not in (select image from kept)
order by 1 limit $3::bigint
