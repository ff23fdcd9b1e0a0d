-- The record once more, as it came; what was cut when it was kept cannot be sent again.
with gone as (
    delete from dead_letters where id = $1 and length(bytes) > 0 and length(bytes) < 4096 and node_id is not null
    returning *)
insert into outbox (lane, kind, topic, partition, key, value)
select 1, 'record', source, -1, uuid_send(node_id), bytes from gone
returning id, pg_notify('fairlead_relay', '')
