-- The interval that a node was told with its last heartbeat: another one is told at once. (For a while it stood in 0019.)
alter table nodes add column if not exists heartbeat_s bigint not null default 0;
