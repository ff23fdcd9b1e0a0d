-- The newest set whose key has signed for $1 seconds: no transaction lasts that long, so whoever signs does it with that key.
select max(n) from key_sets where signs_at < clock_timestamp() - $1 * interval '1 second' and signed_again_at is null
