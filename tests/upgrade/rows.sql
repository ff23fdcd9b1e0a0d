-- A row in every table of the first version, and instances in each way to be: 5 runs on a host, 6 waits for room, 7 is gone.
insert into plans values ('00000000-0000-7000-8000-000000000011', 'old', 'Old', '{shared}', 5, null, 30, now());
insert into customers values ('00000000-0000-7000-8000-000000000012', 'harbour', 'Harbour', '00000000-0000-7000-8000-000000000011', now());
insert into tenants values ('00000000-0000-7000-8000-000000000013', '00000000-0000-7000-8000-000000000012', 'office', 'Office', now());
insert into planes values ('00000000-0000-7000-8000-000000000014', 'main', 'shared', null, 'example.org', 'http', 80, decode(repeat('ab', 32), 'hex'), now());
insert into nodes (id, plane_id, name, roles, state, address, arch, cpu_milli, memory_mb, disk_mb, port_low, port_high, created_at)
  values ('00000000-0000-7000-8000-000000000015', '00000000-0000-7000-8000-000000000014', 'one', '{host,edge}', 'ready', '10.0.0.1', 'amd64', 1000, 1000, 1000, 20000, 20009, now());
insert into tokens values ('\x01', '00000000-0000-7000-8000-000000000015', now(), null);
insert into sizes values ('00000000-0000-7000-8000-000000000016', '00000000-0000-7000-8000-000000000014', 'small', 100, 200, 300, now());
insert into apps values ('wiki', 'Wiki', 'A wiki.', now());
insert into releases values ('00000000-0000-7000-8000-000000000017', 'wiki', '1', '{"title": "Wiki", "version": "1"}', 'services: {}', now());
insert into states select unnest(array['new', 'running', 'failed', 'deleting', 'deleted']) on conflict do nothing;
insert into transitions values ('new', 'running') on conflict do nothing;
insert into instances (tenant_id, id, customer_id, plane_id, release_id, size_id, node_id, edge_id, name, host, inputs, images, public_url, health,
    state, accepted, running, port, memory_mb, cpu_milli, disk_mb, trial_days, event_seq, created_at, updated_at)
select '00000000-0000-7000-8000-000000000013', ('00000000-0000-7000-8000-0000000000' || n)::uuid, '00000000-0000-7000-8000-000000000012',
    '00000000-0000-7000-8000-000000000014', '00000000-0000-7000-8000-000000000017', '00000000-0000-7000-8000-000000000016', node, node, name,
    name || '.example.org', '{"title": "x"}', images, 'http://' || name || '.example.org', null, state, 1, 1, port, 200, 100, 300, 30, 1, now(), now()
from (values ('25', 'runs', 'running', '00000000-0000-7000-8000-000000000015'::uuid, 20000, '{"web": "wiki@sha256:11"}'::jsonb),
    ('26', 'waits', 'new', null, 0, null), ('27', 'gone', 'deleted', '00000000-0000-7000-8000-000000000015', 20001, '{"web": "wiki@sha256:11"}'))
    as v (n, name, state, node, port, images);
insert into requests values ('00000000-0000-7000-8000-000000000031', 'operator', 'key', '\x02', 'create', 202, '{}', 1, '/v1/instances/x', now());
insert into intents select tenant_id, id, 1, 'create', 'create', case state when 'new' then 'running' else 'done' end, null, null, null, now(), now(), null from instances;
insert into steps select tenant_id, id, 1, step, '', case when state = 'new' then 'waiting' else 'done' end, 1, null, null, null, now(), null, null, null, null, null
  from instances, unnest(array['name', 'stack', 'route']) step;
insert into events select ('00000000-0000-7000-8000-0000000001' || right(id::text, 2))::uuid, tenant_id, id, 1, 1, now(), case state when 'deleted' then 'deleted' else 'created' end, '{}', null from instances;
insert into documents select tenant_id, '00000000-0000-7000-8000-000000000015', id, 'stack', 1, 1, 1, state = 'deleted', state = 'deleted', state = 'deleted', '\x03', '\x04', 'healthy', 1, null, 1, null
  from instances where state <> 'new';
insert into names values ('runs.example.org', '00000000-0000-7000-8000-000000000013', '00000000-0000-7000-8000-000000000025', 1, true, null, null);
insert into works values ('resolve:1', 'resolve', 'done', null, 1, null, now(), now(), '{}', '{"commit": "c"}', null, null, null);
insert into images values ('key', 'wiki@sha256:11', '{}', now());
insert into timers values ('expire', '00000000000070008000000000000025', now());
insert into outbox (lane, kind, topic, partition, key, value, node_id, instance_id, document)
  values (5, 'document', 'fairlead.node.x', 0, null, null, '00000000-0000-7000-8000-000000000015', '00000000-0000-7000-8000-000000000025', 'stack');
insert into outbox_held (id, lane, kind, topic, partition, reason) values (1, 1, 'record', 't', 0, 'too large');
insert into topics values ('fairlead.node.x', '00000000-0000-7000-8000-000000000015', true);
insert into credentials select tenant_id, id, 'password', '\x05', now(), null from instances;
insert into recovery_boxes select tenant_id, id, 'password', '\x06' from instances;
insert into dead_letters values ('00000000-0000-7000-8000-000000000041', 'fairlead.reports', null, 'unreadable', '\x07', now());
