insert into requests (id, owner, key, fingerprint, kind, status, created_at)
values ($1, $2, $3, $4, $5, 0, clock_timestamp()) on conflict do nothing returning id
