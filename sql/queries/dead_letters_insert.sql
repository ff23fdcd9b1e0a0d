insert into dead_letters (id, source, node_id, reason, bytes, created_at)
select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[], $6::timestamptz[])
on conflict do nothing
