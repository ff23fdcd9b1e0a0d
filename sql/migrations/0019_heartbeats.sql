-- Heartbeats: when a node was last told what it should hold, and why it deletes nothing for now.
alter table nodes add heartbeat_at timestamptz;
alter table nodes add heartbeat_n bigint not null default 0;
alter table nodes add doubt text;
grant select (doubt) on nodes to fairlead_customer;
