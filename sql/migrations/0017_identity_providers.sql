-- Where people may sign in elsewhere (OpenID Connect), at the provider's own or at a customer's; and as whom they are known there.
create table identity_providers (
    id uuid primary key,
    customer_id uuid references customers on delete cascade, -- null: for members of the provider
    name text not null check (name ~ '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$'),
    title text not null,
    issuer text not null,
    client_id text not null,
    secret_box bytea not null, -- sealed to the coordinator's key
    claim text not null,       -- that is a member's name, the first time
    created_at timestamptz not null
);
create unique index identity_providers_by_name on identity_providers
    (coalesce(customer_id, '00000000-0000-0000-0000-000000000000'), name);
create table identities (
    provider_id uuid not null references identity_providers on delete cascade,
    subject text not null,
    member_id uuid not null references members on delete cascade,
    primary key (provider_id, subject),
    unique (provider_id, member_id)
);
create index identities_by_member on identities (member_id);
grant select, insert, update, delete on identity_providers, identities to fairlead_app;

alter table identity_providers enable row level security;
alter table identity_providers force row level security;
do $$ begin
    execute format('create policy everything on identity_providers to fairlead_app, fairlead_read, %I using (true) with check (true)', current_user);
end $$;
create policy within_reach on identity_providers for select to fairlead_customer
    using (customer_id = (select reach_of('customer')) and (select reach_of('tenant')) is null);
grant select (id, customer_id, name, title, issuer, client_id, claim, created_at) on identity_providers to fairlead_customer, fairlead_read;
