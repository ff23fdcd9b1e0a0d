-- Which prober keeps fetching an instance; and whom a silent node concerns.
alter table instances add column prober_id uuid references nodes;
create index instances_by_edge on instances (edge_id) where state = 'running' and edge_id is not null;
create index instances_by_prober on instances (prober_id) where state = 'running' and prober_id is not null;
