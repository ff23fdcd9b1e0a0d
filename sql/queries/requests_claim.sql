-- Only requests that carry an Idempotency-Key, or that are sent again after an unknown COMMIT.
insert into requests (id, owner, key, fingerprint, kind, created_at)
select *, clock_timestamp() from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[]) order by 2, 3
on conflict do nothing
returning id
