-- Each client is another customer's: what a customer uses is one row, which batches write once for all that they bring.
-- The denominator (pgbench reads a colon before a word or number as a variable, so texts have none): the same rows as an accepted no-op intent, one statement per transaction.
with i as (
    insert into instances (tenant_id, id, customer_id, plane_id, release_id, name, inputs, state, accepted, running, port, memory_mb,
        cpu_milli, disk_mb, trial_days, event_seq, created_at, updated_at)
    select t.id, gen_random_uuid(), t.customer_id, p.id, '00000000-0000-7000-8000-000000000001', 'p' || substr(md5(random()::text), 1, 18),
        '{}', 'new', 1, 1, 0, 0, 0, 0, 30, 1, clock_timestamp(), clock_timestamp()
    from tenants t join customers c on c.id = t.customer_id, planes p
    where c.name = 'rows' || (:client_id)::int % 64 and p.name = 'main' returning tenant_id, id),
n as (
    insert into intents (tenant_id, instance_id, generation, kind, walk, state, request_id, accepted_at, started_at)
    select tenant_id, id, 1, 'create', 'create', 'running', id, clock_timestamp(), clock_timestamp() from i),
s as (
    insert into steps (tenant_id, instance_id, generation, step, act, part, state, attempt, order_id, next_at, started_at)
    select tenant_id, id, 1, 'noop', 'noop', '', 'open', 1, gen_random_uuid(), clock_timestamp() + interval '1 day', clock_timestamp() from i),
e as (
    insert into events (id, tenant_id, instance_id, sequence, generation, at, type, data)
    select gen_random_uuid(), tenant_id, id, 1, 1, clock_timestamp(), 'created', jsonb_build_object('generation', 1) from i)
insert into outbox (lane, kind, topic, partition, value)
select 99, 'record', 'none', 0, decode(repeat('ab', 180), 'hex') from i;
