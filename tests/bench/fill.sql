-- A fleet as the engine would have left it after years: :instances apps on :nodes nodes, :events events each. Every tenth
-- app is the customer's who asks for more in the bench. As superuser: the walls would look at each row.
set session_replication_role = replica;
set synchronous_commit = off;
create function pg_temp.id(kind text, n bigint) returns uuid language sql immutable as $$ select md5(kind || n)::uuid $$;
create temp view ours as
    select c.id as customer_id, t.id as tenant_id from customers c join tenants t on t.customer_id = c.id where c.name = 'bench';
insert into planes (id, name, mode, domain, scheme, public_port, recovery_key, created_at)
    select pg_temp.id('plane', 0), 'big', 'shared', 'big.example', 'http', 80, recovery_key, now() from planes where name = 'main';
-- Heard of in a day: nobody is there to speak for them.
insert into nodes (id, plane_id, name, roles, state, address, arch, cpu_milli, memory_mb, disk_mb, port_low, port_high, health,
    seen_at, created_at)
select pg_temp.id('node', n), pg_temp.id('plane', 0), 'big-' || n, '{host,edge,prober}', 'ready',
    '10.' || n / 65536 || '.' || n / 256 % 256 || '.' || n % 256, 'amd64', 64000, 262144, 2000000, 20000, 21999, 'ok',
    now() + interval '1 day', now()
from generate_series(0, :nodes - 1) n;
insert into customers (id, name, title, plan_id, created_at)
select pg_temp.id('customer', n), 'big-' || n, 'A customer', p.id, now()
from generate_series(0, :instances / 100) n, plans p where p.name = 'limits';
insert into tenants (id, customer_id, name, title, created_at)
select pg_temp.id('tenant', n), pg_temp.id('customer', n), 'main', 'Main', now() from generate_series(0, :instances / 100) n;
create temp table those as
select n, pg_temp.id('instance', n) as id, pg_temp.id('node', n % :nodes) as node_id, 20000 + n / :nodes as port,
    'big' || n || '.big.example' as host,
    case when n % 10 = 0 then o.tenant_id else pg_temp.id('tenant', n / 100) end as tenant_id,
    case when n % 10 = 0 then o.customer_id else pg_temp.id('customer', n / 100) end as customer_id
from generate_series(0, :instances - 1) n, ours o;
insert into instances (tenant_id, id, customer_id, plane_id, release_id, node_id, edge_id, prober_id, name, host, inputs, public_url,
    health, state, accepted, running, port, memory_mb, cpu_milli, disk_mb, trial_days, event_seq, created_at, updated_at)
select x.tenant_id, x.id, x.customer_id, pg_temp.id('plane', 0), r.id, x.node_id, x.node_id, x.node_id, 'big-' || x.n, x.host, '{}',
    'http://' || x.host, 'ok', 'running', 1, 1, x.port, 512, 250, 1000, 0, :events, now(), now()
from those x, releases r where r.app = 'testapp';
insert into usages as u (customer_id, instances, memory_mb) select customer_id, count(*), 512 * count(*) from those group by 1
on conflict (customer_id) do update set instances = u.instances + excluded.instances, memory_mb = u.memory_mb + excluded.memory_mb;
insert into sets (tenant_id, instance_id, letter, release_id, node_id, port, state)
select x.tenant_id, x.id, 'a', r.id, x.node_id, x.port, 'placed' from those x, releases r where r.app = 'testapp';
insert into reservations (node_id, cpu_milli, memory_mb, disk_mb, ports)
select node_id, 250 * count(*), 512 * count(*), 1000 * count(*), range_agg(int8range(port, port + 1)) from those group by 1;
insert into names (host, tenant_id, instance_id, serial, held) select host, tenant_id, id, 1, true from those;
insert into intents (tenant_id, instance_id, generation, kind, walk, state, request_id, accepted_at, started_at, ended_at)
select tenant_id, id, 1, 'create', 'create', 'done', gen_random_uuid(), now() - interval '9 days', now() - interval '9 days',
    now() - interval '9 days' from those;
insert into steps (tenant_id, instance_id, generation, step, act, part, state, attempt, order_id, started_at, ended_at)
select x.tenant_id, x.id, 1, s, s, '', 'done', 1, gen_random_uuid(), now() - interval '9 days', now() - interval '9 days'
from those x, unnest('{place,resolve,build,name,stack,route,verify,watch}'::text[]) s;
insert into documents (tenant_id, node_id, instance_id, kind, epoch, revision, generation, absent, purge, confirmed, content,
    envelope, condition, observed, stream, report_n, want)
select x.tenant_id, x.node_id, x.id, d, 1, 1, 1, false, false, true, decode(repeat('ab', 1500), 'hex'),
    decode(repeat('ab', 1700), 'hex'), 'healthy', 1, pg_temp.id('stream', 0), 1, 'on'
from those x, unnest('{stack,route,watch}'::text[]) d;
insert into events (id, tenant_id, instance_id, sequence, generation, at, type, data)
select gen_random_uuid(), x.tenant_id, x.id, s, 1, now() - interval '9 days' + s * interval '1 hour', 'health_changed',
    '{"health": "ok", "was": "degraded", "reason": "It answers again."}'
from generate_series(1, :events) s, those x;
vacuum analyze instances, sets, reservations, names, intents, steps, documents, events, nodes, customers, tenants;
