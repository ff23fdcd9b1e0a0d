-- One row per request; one that was claimed gets its answer.
insert into requests (id, owner, key, fingerprint, kind, status, answer, etag, location, created_at)
select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::bigint[], $7::text[], $8::bigint[],
    $9::text[], $10::timestamptz[])
on conflict (id) do update
set status = excluded.status, answer = excluded.answer, etag = excluded.etag, location = excluded.location
