-- For the next set: the last one, whether a rotation is under way, and ready nodes whose program has been heard, and knows nothing of sets.
select (select n from key_sets order by n desc limit 1), (select envelope from key_sets order by n desc limit 1),
    exists (select from key_sets where signed_again_at is null),
    (select coalesce(string_agg(name, ', ' order by name), '') from nodes where state = 'ready' and version is not null and key_set = 0)
