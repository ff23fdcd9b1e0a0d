-- Who may ask (docs/SECURITY.md): members are people and programs, of the provider or of a customer; each has a role, whose
-- scopes are rows here; each asks by tokens, which are stored hashed.
do $$
begin
    if not exists (select from pg_roles where rolname = 'fairlead_customer') then create role fairlead_customer login; end if;
end
$$;

create table access_roles (
    name text primary key check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    side text not null check (side in ('provider', 'customer')), -- who may have it
    title text not null,
    scopes text[] not null
);
insert into access_roles values
    ('operator', 'provider', 'may do everything', '{*}'),
    ('observer', 'provider', 'looks, and changes nothing',
        '{fleet.read,catalogue.read,customers.read,instances.read,access.read,audit.read}'),
    ('administrator', 'customer', 'runs the apps of a customer, and says who else may',
        '{catalogue.read,customers.read,instances.read,instances.write,credentials,access.read,access.write,audit.read}'),
    ('viewer', 'customer', 'looks at the apps of a customer', '{catalogue.read,customers.read,instances.read}');

create table members (
    id uuid primary key,
    customer_id uuid references customers, -- null: of the provider
    tenant_id uuid,                        -- that it is limited to
    plane_id uuid references planes,       -- that it is limited to
    kind text not null check (kind in ('person', 'program')),
    role text not null references access_roles,
    name text not null check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    title text not null,
    created_at timestamptz not null,
    foreign key (customer_id, tenant_id) references tenants (customer_id, id),
    check (tenant_id is null or customer_id is not null),
    check (plane_id is null or customer_id is null)
);
create unique index members_by_name on members (coalesce(customer_id, '00000000-0000-0000-0000-000000000000'), name);
create index members_by_tenant on members (tenant_id) where tenant_id is not null;
create index members_by_plane on members (plane_id) where plane_id is not null;

-- Whoever holds the token of the coordinator's file (the one way in before there were members).
insert into members (id, kind, role, name, title, created_at) values
    ('00000000-0000-7000-8000-000000000002', 'program', 'operator', 'operator', 'holds the token of the coordinator''s file',
     clock_timestamp());

create table access_tokens (
    id uuid primary key,
    member_id uuid not null references members on delete cascade,
    hash bytea not null unique,
    hint text not null,
    name text not null,
    scopes text[], -- null: all that its member may
    from_file boolean not null default false,
    created_at timestamptz not null,
    expires_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz
);
create index access_tokens_by_member on access_tokens (member_id);

-- Coordinators know all tokens by heart: they hear whose changed, before anybody is told that it has.
create function tell_access() returns trigger language plpgsql as $$
begin
    perform pg_notify('fairlead_access', case tg_table_name
        when 'members' then (case tg_op when 'DELETE' then to_jsonb(old) else to_jsonb(new) end)->>'id'
        when 'access_tokens' then (case tg_op when 'DELETE' then to_jsonb(old) else to_jsonb(new) end)->>'member_id'
        else '' end);
    return null;
end
$$;
create trigger members_told after insert or update or delete on members for each row execute function tell_access();
create trigger access_tokens_told after insert or update of scopes, expires_at, revoked_at or delete on access_tokens
    for each row execute function tell_access();
create trigger access_roles_told after insert or update or delete on access_roles for each statement execute function tell_access();

-- ---- what was done by whom ----

-- The hash of each row is over that of the one before it in its chain, and all that it says. Whoever writes takes a chain that
-- nobody else writes to just then; within one, times never fall. Only audit_append() writes.
create table audit_chains (
    chain int primary key,
    n bigint not null,
    hash bytea not null,
    at timestamptz not null
) with (fillfactor = 10);
insert into audit_chains select c, 0, '\x', timestamptz 'epoch' from generate_series(0, 7) c;
create table audit (
    chain int not null references audit_chains,
    n bigint not null,
    at timestamptz not null,
    customer_id uuid,   -- whom it concerns
    principal_id uuid,  -- who
    credential_id uuid, -- by which token
    address text not null,
    act text not null,
    object text not null,
    status int not null,
    before bytea,
    after bytea,
    request_id uuid,
    trace text,
    hash bytea not null,
    primary key (chain, n)
);
create index audit_by_customer on audit (customer_id, chain, n) where customer_id is not null;
create table audit_heads (
    chain int not null references audit_chains,
    n bigint not null,
    hash bytea not null,
    signature bytea not null, -- of the coordinator, over chain, n and hash
    at timestamptz not null default clock_timestamp(),
    primary key (chain, n)
);

-- What is hashed of a row: the hash before it, then this text in UTF-8.
create function audit_text(of audit) returns text language sql stable parallel safe as $$
    select jsonb_build_array(of.chain, of.n, (extract(epoch from of.at) * 1000000)::bigint, of.customer_id, of.principal_id, of.credential_id,
        of.address, of.act, of.object, of.status, encode(of.before, 'hex'), encode(of.after, 'hex'), of.request_id, of.trace)::text
$$;
create function audit_append(customers uuid[], principals uuid[], credentials uuid[], addresses text[], acts text[], objects text[],
    statuses bigint[], befores bytea[], afters bytea[], requests uuid[], traces text[])
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    head audit_chains;
    r audit;
begin
    select * into head from audit_chains order by chain limit 1 for no key update skip locked;
    if not found then
        select * into head from audit_chains where chain = pg_backend_pid() % 8 for no key update;
    end if;
    for i in 1 .. coalesce(cardinality(acts), 0) loop
        head.at := greatest(clock_timestamp(), head.at);
        r := row(head.chain, head.n + i, head.at, customers[i], principals[i], credentials[i], addresses[i], acts[i],
            objects[i], statuses[i], nullif(befores[i], ''), nullif(afters[i], ''), requests[i], traces[i], null);
        r.hash := sha256(head.hash || convert_to(audit_text(r), 'UTF8'));
        insert into audit values (r.*);
        head.hash := r.hash;
    end loop;
    update audit_chains set n = head.n + coalesce(cardinality(acts), 0), hash = head.hash, at = head.at where chain = head.chain;
end
$$;
revoke execute on function audit_append from public;
grant execute on function audit_append to fairlead_app;

grant select, insert, update, delete on members, access_tokens to fairlead_app;
grant select on access_roles, audit_chains, audit to fairlead_app;
grant select, insert on audit_heads to fairlead_app;
grant select on access_roles, members, audit, audit_chains, audit_heads to fairlead_read;

-- ---- the second wall ----

-- What serves a principal that is limited logs in as fairlead_customer, and says in each transaction whom it serves:
-- fairlead.customer, fairlead.tenant, fairlead.plane. Who says nothing sees nothing. fairlead_app sees all: its batches mix
-- tenants, and it checks by itself.
create function reach_of(what text) returns uuid language sql stable parallel safe as $$
    select nullif(current_setting('fairlead.' || what, true), '')::uuid
$$;
create function build_wall(what text, sees text) returns void language plpgsql as $$
begin
    execute format('alter table %I enable row level security', what);
    execute format('alter table %I force row level security', what);
    execute format('create policy everything on %I to fairlead_app, fairlead_read, %I using (true) with check (true)', what, current_user);
    execute format('create policy within_reach on %I for select to fairlead_customer using (%s)', what, sees);
end
$$;
select build_wall(t, s) from (values
    ('instances', '(customer_id = (select reach_of(''customer'')) and coalesce(tenant_id = (select reach_of(''tenant'')), (select reach_of(''tenant'')) is null))
        or plane_id = (select reach_of(''plane''))'),
    ('tenants', '(customer_id = (select reach_of(''customer'')) and coalesce(id = (select reach_of(''tenant'')), (select reach_of(''tenant'')) is null))
        or ((select reach_of(''plane'')) is not null and exists (select from instances i where i.tenant_id = tenants.id))'),
    ('customers', 'id = (select reach_of(''customer''))
        or ((select reach_of(''plane'')) is not null and exists (select from instances i where i.customer_id = customers.id))'),
    ('plans', 'exists (select from customers c where c.plan_id = plans.id)'),
    ('planes', 'id = (select reach_of(''plane'')) or ((select reach_of(''customer'')) is not null
        and coalesce(customer_id = (select reach_of(''customer'')), mode = ''shared''))'),
    ('sizes', 'exists (select from planes p where p.id = sizes.plane_id)'),
    ('nodes', 'plane_id = (select reach_of(''plane''))'),
    ('reservations', 'exists (select from nodes n where n.id = reservations.node_id)'),
    ('usages', 'exists (select from customers c where c.id = usages.customer_id)'),
    ('members', '(customer_id = (select reach_of(''customer'')) and coalesce(tenant_id = (select reach_of(''tenant'')), (select reach_of(''tenant'')) is null))
        or plane_id = (select reach_of(''plane''))'),
    ('access_tokens', 'exists (select from members m where m.id = access_tokens.member_id)'),
    ('audit', 'customer_id = (select reach_of(''customer'')) and (select reach_of(''tenant'')) is null')) as w (t, s);
select build_wall(t, format('exists (select from instances i where i.tenant_id = %1$I.tenant_id and i.id = %1$I.instance_id)', t))
from unnest('{intents,steps,events,sets,documents,names,credentials,recovery_boxes}'::text[]) t;
drop function build_wall;

grant usage on schema public to fairlead_customer;
-- Rows through the wall, and of each no more than is shown: no key, no hash, no box that another key opens.
grant select on plans, customers, tenants, planes, sizes, nodes, reservations, instances, intents, steps, events, access_roles to fairlead_customer;
grant select (tenant_id, instance_id, name, box, confirmed_at) on credentials to fairlead_customer;
grant select on releases, apps to fairlead_customer;
grant select (id, customer_id, tenant_id, plane_id, kind, role, name, title, created_at) on members to fairlead_customer;
grant select (id, member_id, hint, name, scopes, created_at, expires_at, used_at, revoked_at) on access_tokens to fairlead_customer;
grant select on audit to fairlead_customer;
grant select (chain, n) on audit_chains to fairlead_customer;
revoke select on nodes from fairlead_customer;
grant select (id, plane_id, name, roles, state, health, address, arch, cpu_milli, memory_mb, disk_mb, version, seen_at, created_at)
    on nodes to fairlead_customer;
