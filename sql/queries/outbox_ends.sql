-- The oldest and the newest row that wait, found at the ends of each lane's index.
select min(l.lowest), max(l.highest) from (
    select (select id from outbox where lane = n order by id limit 1) as lowest,
        (select id from outbox where lane = n order by id desc limit 1) as highest
    from generate_series(0, 31) n) l
