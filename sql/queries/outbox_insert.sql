insert into outbox (lane, kind, topic, partition, key, value, node_id, instance_id, document, letter)
select * from unnest(
    $1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::bytea[], $7::uuid[], $8::uuid[], $9::text[], $10::text[])
