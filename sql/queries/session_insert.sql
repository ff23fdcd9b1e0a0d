insert into sessions (id, member_id, hash, by_cookie, address, created_at, expires_at)
values ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp() + $6 * interval '1 hour')
