-- Roles: owner makes, app writes rows, read only looks. Logins are the operator's to add; `fairlead_app` and
-- `fairlead_read` may log in on the local socket of the development stack.
do $$
begin
    if not exists (select from pg_roles where rolname = 'fairlead_app') then create role fairlead_app login; end if;
    if not exists (select from pg_roles where rolname = 'fairlead_read') then create role fairlead_read login; end if;
end
$$;

create table installation (
    one boolean primary key default true check (one),
    epoch bigint not null default 1,
    -- Only test builds read it: sixty days take a second.
    clock_offset_us bigint not null default 0,
    sign_public bytea,
    seal_public bytea
);
insert into installation default values;

create table plans (
    id uuid primary key,
    name text not null unique check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    title text not null,
    modes text[] not null,
    max_instances bigint,
    max_memory_mb bigint,
    trial_days bigint not null,
    created_at timestamptz not null
);

create table customers (
    id uuid primary key,
    name text not null unique check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    title text not null,
    plan_id uuid not null references plans,
    created_at timestamptz not null
);

create table tenants (
    id uuid primary key,
    customer_id uuid not null references customers,
    name text not null check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    title text not null,
    created_at timestamptz not null,
    unique (customer_id, name),
    unique (customer_id, id)
);

create table planes (
    id uuid primary key,
    name text not null unique check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    mode text not null check (mode in ('shared', 'dedicated')),
    customer_id uuid references customers,
    domain text not null,
    scheme text not null check (scheme in ('http', 'https')),
    public_port bigint not null,
    -- The public half only; the private half never reaches the coordinator.
    recovery_key bytea not null check (length(recovery_key) = 32),
    created_at timestamptz not null,
    check ((mode = 'dedicated') = (customer_id is not null))
);

create table nodes (
    id uuid primary key,
    plane_id uuid not null references planes,
    name text not null unique check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    roles text[] not null,
    state text not null check (state in ('invited', 'enrolled', 'ready', 'retired')),
    address text not null,
    arch text not null,
    cpu_milli bigint not null,
    memory_mb bigint not null,
    disk_mb bigint not null,
    port_low bigint not null,
    port_high bigint not null,
    sign_key bytea,
    seal_key bytea,
    health text not null default 'unknown',
    version text,
    seen_at timestamptz,
    created_at timestamptz not null,
    unique (plane_id, id)
);

create table tokens (
    hash bytea primary key,
    node_id uuid not null references nodes on delete cascade,
    expires_at timestamptz not null,
    used_at timestamptz
);

create table sizes (
    id uuid primary key,
    plane_id uuid not null references planes,
    name text not null check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    cpu_milli bigint not null,
    memory_mb bigint not null,
    disk_mb bigint not null,
    created_at timestamptz not null,
    unique (plane_id, name)
);

create table apps (
    name text primary key,
    title text not null,
    summary text not null,
    created_at timestamptz not null
);

create table releases (
    id uuid primary key,
    app text not null references apps,
    version text not null,
    spec jsonb not null,
    template text not null,
    created_at timestamptz not null,
    unique (app, version)
);

create table states (name text primary key);
create table transitions (
    from_state text not null references states,
    to_state text not null references states,
    primary key (from_state, to_state)
);

create table instances (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    plane_id uuid not null references planes,
    release_id uuid not null references releases,
    size_id uuid references sizes,
    node_id uuid references nodes,
    edge_id uuid references nodes,
    name text not null check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    host text,
    inputs jsonb not null,
    images jsonb,
    public_url text,
    health text,
    problem text,
    -- One of `states`: the engine writes no other, and the trigger below refuses what no row allows.
    state text not null,
    accepted bigint not null,
    running bigint not null,
    port bigint not null,
    memory_mb bigint not null,
    cpu_milli bigint not null,
    disk_mb bigint not null,
    trial_days bigint not null,
    event_seq bigint not null,
    expires_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (customer_id, tenant_id) references tenants (customer_id, id)
) with (fillfactor = 70);
create unique index instances_by_id on instances (id);
create unique index instances_by_name on instances (tenant_id, name) where state <> 'deleted';
create index instances_by_customer on instances (customer_id) where state <> 'deleted';
create index instances_by_node on instances (node_id) where state <> 'deleted' and node_id is not null;
create unique index instances_by_port on instances (node_id, port) where state <> 'deleted' and port > 0;

-- Which port of which node is whose.
create view ports as
    select node_id, port, tenant_id, id as instance_id from instances where state <> 'deleted' and port > 0;

-- Every input of the API, so that a repeat finds its answer (protocol section 2). A refusal that depends on the
-- body alone is not remembered: the same key may come again with a mended body.
create table requests (
    id uuid primary key,
    owner text not null,
    key text,
    fingerprint bytea not null,
    kind text not null,
    status int not null default 0,
    answer text,
    etag bigint not null default 0,
    location text,
    created_at timestamptz not null,
    unique (owner, key)
);

create table intents (
    tenant_id uuid not null,
    instance_id uuid not null,
    generation bigint not null,
    kind text not null,
    walk text not null,
    state text not null check (state in ('queued', 'running', 'done', 'failed', 'dropped')),
    request_id uuid,
    params jsonb,
    trace text,
    accepted_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    primary key (tenant_id, instance_id, generation),
    foreign key (tenant_id, instance_id) references instances
) with (fillfactor = 70);
create index intents_by_instance on intents (instance_id, generation);

create table steps (
    tenant_id uuid not null,
    instance_id uuid not null,
    generation bigint not null,
    step text not null,
    part text not null,
    state text not null check (state in ('waiting', 'open', 'done', 'parked', 'dropped')),
    attempt bigint not null,
    order_id uuid,
    work_key text,
    next_at timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    class text,
    problem text,
    lines text,
    facts jsonb,
    primary key (tenant_id, instance_id, generation, step, part),
    foreign key (tenant_id, instance_id, generation) references intents
) with (fillfactor = 70);
create index steps_by_instance on steps (instance_id, generation);
create index steps_by_order on steps (order_id) where order_id is not null;
create index steps_due on steps (next_at) where state = 'open' and next_at is not null;
create index steps_by_work on steps (work_key) where state = 'open' and work_key is not null;

create view walks as
    select tenant_id, instance_id, generation, walk, state, started_at, ended_at from intents where walk <> 'none';

create table events (
    id uuid not null,
    tenant_id uuid not null,
    instance_id uuid not null,
    sequence bigint not null,
    generation bigint not null,
    at timestamptz not null,
    type text not null,
    data jsonb not null,
    trace text,
    primary key (instance_id, sequence),
    foreign key (tenant_id, instance_id) references instances
);
create unique index events_by_id on events (id);

-- Never deleted: a node restored from last month's disk is still told what is absent.
create table documents (
    tenant_id uuid not null,
    node_id uuid not null references nodes,
    instance_id uuid not null,
    kind text not null,
    epoch bigint not null,
    revision bigint not null,
    generation bigint not null,
    absent boolean not null,
    purge boolean not null,
    confirmed boolean not null,
    content bytea not null,
    envelope bytea not null,
    condition text,
    observed bigint not null,
    stream uuid,
    report_n bigint not null,
    trace text,
    primary key (node_id, instance_id, kind),
    foreign key (tenant_id, instance_id) references instances
);
create index documents_by_instance on documents (instance_id);

create table names (
    host text primary key,
    tenant_id uuid not null,
    instance_id uuid not null,
    serial bigint not null default 0,
    held boolean not null default false,
    replaces text,
    free_at timestamptz
);
create index names_by_instance on names (instance_id);

create table works (
    key text primary key,
    kind text not null,
    state text not null check (state in ('open', 'done', 'failed')),
    order_id uuid,
    attempt bigint not null,
    next_at timestamptz,
    opened_at timestamptz,
    settled_at timestamptz,
    params jsonb not null,
    facts jsonb,
    class text,
    problem text,
    lines text
);
create index works_by_order on works (order_id) where order_id is not null;

create table images (
    build_key text primary key,
    image text not null,
    provenance jsonb not null,
    built_at timestamptz not null
);

create table timers (
    kind text not null,
    subject text not null,
    due_at timestamptz not null,
    primary key (kind, subject)
);
create index timers_due on timers (due_at);

-- What is not yet acknowledged by the broker; no status, no cursor (protocol section 5).
create table outbox (
    id bigint generated always as identity,
    lane int not null,
    kind text not null check (kind in ('record', 'document', 'events')),
    topic text not null,
    partition int not null,
    key bytea,
    value bytea,
    node_id uuid,
    instance_id uuid,
    document text,
    primary key (lane, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- Records held back because the broker will never take them: shown to the operator.
create table outbox_held (
    like outbox,
    reason text not null,
    held_at timestamptz not null default now()
);

create table topics (
    name text primary key,
    node_id uuid references nodes,
    ready boolean not null default false
);

create table credentials (
    tenant_id uuid not null,
    instance_id uuid not null,
    name text not null,
    box bytea,
    created_at timestamptz not null,
    confirmed_at timestamptz,
    primary key (tenant_id, instance_id, name),
    foreign key (tenant_id, instance_id) references instances
);

-- Each secret once more, sealed to the plane's recovery key: only its holder can open it.
create table recovery_boxes (
    tenant_id uuid not null,
    instance_id uuid not null,
    name text not null,
    box bytea not null,
    primary key (tenant_id, instance_id, name),
    foreign key (tenant_id, instance_id) references instances
);

create table dead_letters (
    id uuid primary key,
    source text not null,
    node_id uuid,
    reason text not null,
    bytes bytea not null,
    created_at timestamptz not null
);

-- No transition that the state table does not hold, whoever writes. One check per statement, not per row.
create function refuse_transition() returns trigger language plpgsql as $$
begin
    if exists (
        select from old_rows o join new_rows n on n.id = o.id
        where n.state <> o.state
          and not exists (select from transitions t where t.from_state = o.state and t.to_state = n.state))
    then
        raise exception 'a transition of an instance that the state table does not hold';
    end if;
    return null;
end
$$;
create trigger instances_transition after update on instances
    referencing old table as old_rows new table as new_rows
    for each statement execute function refuse_transition();

grant usage on schema public to fairlead_app, fairlead_read;
grant select, insert, update, delete on all tables in schema public to fairlead_app;
revoke update, delete on events from fairlead_app;
revoke insert, update, delete on states, transitions from fairlead_app;
grant usage on all sequences in schema public to fairlead_app;
