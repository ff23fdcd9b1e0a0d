-- The token of the coordinator's file, if it was never seen: it takes the place of the one that was in the file before.
with adopted as (
    insert into access_tokens (id, member_id, hash, hint, name, from_file, created_at)
    select $1, m.id, $2, $3, 'the coordinator''s file', true, clock_timestamp()
    from members m where m.id = '00000000-0000-7000-8000-000000000002'
    on conflict (hash) do nothing returning id)
update access_tokens t set revoked_at = clock_timestamp() from adopted
where t.from_file and t.revoked_at is null and t.id <> adopted.id
