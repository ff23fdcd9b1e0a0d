-- A set is one Compose project of an instance: what runs of one release on one host. Everybody has one, "a", until a walk
-- needs a second beside it. What instances say of node, port, images and commits is that of the set that serves.
create table sets (
    tenant_id uuid not null,
    instance_id uuid not null,
    letter text not null check (letter ~ '^[a-z]$'),
    release_id uuid not null references releases,
    node_id uuid references nodes,
    port bigint not null,
    images jsonb,
    commits jsonb,
    copies jsonb, -- volume -> which copy of it is mounted; not listed: the first
    state text not null check (state in ('planned', 'placed', 'gone')),
    primary key (tenant_id, instance_id, letter),
    foreign key (tenant_id, instance_id) references instances
) with (fillfactor = 70);
create index sets_by_node on sets (node_id) where state = 'placed';
create unique index sets_by_port on sets (node_id, port) where state = 'placed';
grant select, insert, update, delete on sets to fairlead_app;
grant select on sets to fairlead_read;
alter table instances add column serving text not null default 'a';

-- Which port of which node is whose.
create or replace view ports as
    select node_id, port, tenant_id, instance_id from sets where state = 'placed' and port > 0;

-- What a walk is made of are acts: two of them may be the same step, of two sets. A coordinator of the version before
-- knows one act of each step.
alter table steps add column act text, add column letter text not null default 'a';
update steps set act = step;
alter table steps alter column act set not null, drop constraint steps_pkey,
    add primary key (tenant_id, instance_id, generation, act, part);
create function name_act() returns trigger language plpgsql as $$
begin
    new.act := new.step;
    return new;
end
$$;
create trigger steps_act before insert on steps for each row when (new.act is null) execute function name_act();

-- Of which set a document is, and what its content was made to want ('': by a version that did not say).
alter table documents add column letter text not null default 'a',
    add column want text not null default '' check (want in ('', 'on', 'off', 'ended', 'absent')),
    drop constraint documents_pkey, add primary key (node_id, instance_id, kind, letter);
alter table outbox add column letter text not null default 'a';
alter table outbox_held add column letter text not null default 'a';

-- Events go to the relay by instance and sequence, which is their key: one index less to write for each of them.
drop index events_by_id;
