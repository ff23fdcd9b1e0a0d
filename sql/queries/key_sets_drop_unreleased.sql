delete from key_sets where released_at is null
