-- Private planes: a customer's own network, whose agents read the topics of its tenants.
alter table planes drop constraint planes_mode_check;
alter table planes add check (mode in ('shared', 'dedicated', 'private'));
alter table planes drop constraint planes_check;
alter table planes add check ((mode = 'shared') = (customer_id is null));
-- Of a private plane it is made where its first agent enrols.
alter table planes alter recovery_key drop not null;
-- Whose topic it is: a node's, a private plane's, or a tenant's.
alter table topics add plane_id uuid references planes;
alter table topics add tenant_id uuid;
-- Its readers may be told of it: it was there, with their rights, once.
alter table topics add told boolean not null default false;
create index on topics (plane_id) where plane_id is not null;
create index on topics (tenant_id) where tenant_id is not null;
-- Behind the second wall, like all that tells of a tenant: nobody who is limited needs to see it.
alter table topics enable row level security;
alter table topics force row level security;
do $$ begin
    execute format('create policy everything on topics to fairlead_app, fairlead_read, %I using (true) with check (true)', current_user);
end $$;
create policy within_reach on topics for select to fairlead_customer using (false);
