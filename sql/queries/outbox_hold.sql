with gone as (delete from outbox where lane = $1 and id = $2 returning *)
insert into outbox_held (id, lane, kind, topic, partition, key, value, node_id, instance_id, document, letter, reason)
select id, lane, kind, topic, partition, key, value, node_id, instance_id, document, letter, $3 from gone
