-- Indexes on instances look at `gone`, which changes once, and not at `state`, which changes often: an update of the
-- state then touches no index (a heap-only tuple), as long as its page has room. Rewrites the table.
alter table instances set (fillfactor = 50);
alter table instances add column gone boolean not null generated always as (state = 'deleted') stored;
drop index instances_by_name, instances_by_customer, instances_by_node, instances_by_port, instances_by_edge,
    instances_by_prober;
create unique index instances_by_name on instances (tenant_id, name) where not gone;
create index instances_by_customer on instances (customer_id) where not gone;
create index instances_by_node on instances (node_id) where not gone and node_id is not null;
create unique index instances_by_port on instances (node_id, port) where not gone and port > 0;
create index instances_by_edge on instances (edge_id) where not gone and edge_id is not null;
create index instances_by_prober on instances (prober_id) where not gone and prober_id is not null;
-- The engine's connections plan without hash joins; the trigger's two tables are as long as a batch.
alter function refuse_transition() set enable_hashjoin = on;
-- What is stuck is counted at every scrape of the metrics.
create index steps_stuck on steps (tenant_id, instance_id, generation)
    where state = 'parked' or (state = 'open' and (problem is not null or attempt > 1));
create or replace view ports as
    select node_id, port, tenant_id, id as instance_id from instances where not gone and port > 0;
