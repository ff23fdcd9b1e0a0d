-- Its youngest key signs when every node that is heard of knows the set; one that says nothing of it is waited for for $1 seconds. After a
-- theft nobody is.
update key_sets k set signs_at = clock_timestamp()
where k.released_at is not null and k.signs_at is null and (k.released_at < clock_timestamp() - $1 * interval '1 second'
    or k.at_once or not exists (select from nodes n where n.state = 'ready' and n.health = 'ok' and n.key_set < k.n))
returning k.n
