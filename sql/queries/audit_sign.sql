-- Lane 1 as all that is no document (topics.h): who reads the topic has what this database cannot take back.
with signed as (
    insert into audit_heads (chain, n, hash, signature) select * from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])
    on conflict do nothing returning chain, n, hash, signature)
insert into outbox (lane, kind, topic, partition, key, value)
select 1, 'record', 'fairlead.audit', 0, convert_to(chain::text, 'UTF8'),
    convert_to(json_build_object('chain', chain, 'n', n, 'hash', encode(hash, 'hex'), 'signature', encode(signature, 'hex'))::text, 'UTF8')
from signed order by chain
returning pg_notify('fairlead_relay', '')
