-- Who owns a lane of the relay: a row, because an advisory lock can be taken by whoever may log in. The session is named
-- by its process and its beginning: processes are used again.
create table lanes (
    lane int primary key,
    pid int not null,
    began timestamptz not null,
    waits_since timestamptz, -- its oldest row has been on its way since then; null: none is
    sent_at timestamptz      -- the broker last acknowledged one
);
grant select, insert, update, delete on lanes to fairlead_app;
grant select on lanes to fairlead_read;

-- Every other state is reached by a transition, never by an insert.
alter table states add column begins boolean not null default false;
create function refuse_insertion() returns trigger language plpgsql as $$
begin
    if exists (select from new_rows n where not exists (select from states s where s.name = n.state and s.begins)) then
        raise exception 'an instance does not begin in that state';
    end if;
    return null;
end
$$;
create trigger instances_insertion after insert on instances
    referencing new table as new_rows for each statement execute function refuse_insertion();

-- What was sealed for instances that are gone with their data.
delete from credentials c using instances i where i.id = c.instance_id and i.gone;
delete from recovery_boxes b using instances i where i.id = b.instance_id and i.gone;

-- Why an instance is not well, as its last change of health said.
alter table instances add column health_reason text;

-- Whoever had an instance leaves history: a retired row without a name or a title of theirs.
alter table tenants add column retired_at timestamptz;
alter table customers add column retired_at timestamptz;

-- Up to when what served only while it was young has been swept away.
alter table installation add column swept_at timestamptz;

-- Who looks may look at all that docs/SQL.md lists, but at nothing that opens anything.
grant select on plans, customers, tenants, planes, nodes, sizes, apps, releases, instances, intents, steps, names, works,
    images, timers, documents, requests, outbox, outbox_held, installation, clock_marks, topics, dead_letters, states,
    transitions, migrations to fairlead_read;
