-- $1 boot, $2 its boot-time clock in us. A small change is the clock being set right: followed. A large one holds.
with now as (
    select clock_timestamp() + clock_offset_us * interval '1 microsecond' as at from installation),
seen as (
    select (extract(epoch from n.at) * 1000000)::bigint - $2::bigint as distance, n.at,
        coalesce((select m.distance_us from clock_marks m where m.boot = $1),
            -- Another boot: all that can be seen is that the clock went back behind what was written.
            case when n.at < (select max(m.at) from clock_marks m) - interval '5 minutes'
                then (extract(epoch from (select max(m.at) from clock_marks m)) * 1000000)::bigint - $2::bigint end)
            as before
    from now n),
jump as (
    select s.*, coalesce(abs(s.distance - s.before) > 300000000, false) as jumped from seen s),
held as (
    update installation i set clock_held = true, clock_jump_us = j.distance - j.before
    from jump j where j.jumped and not i.clock_held returning i.clock_jump_us),
kept as (
    insert into clock_marks (boot, distance_us, at)
    select $1, j.distance, j.at from jump j, installation i where not j.jumped and not i.clock_held
    on conflict (boot) do update set distance_us = excluded.distance_us, at = excluded.at
    where abs(clock_marks.distance_us - excluded.distance_us) > 1000000
        or excluded.at > clock_marks.at + interval '1 minute')
select clock_jump_us from held
