-- It does not outlive the token that asks for it ($8).
insert into access_tokens (id, member_id, hash, hint, name, scopes, created_at, expires_at)
values ($1, $2, $3, $4, $5, string_to_array($6, ','), clock_timestamp(),
    least(clock_timestamp() + $7 * interval '1 day', coalesce($8, 'infinity')))
