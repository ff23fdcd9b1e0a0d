-- Which commit each image of an instance was built from, and which one each source of a release is pinned to.
alter table instances add column commits jsonb;
create index works_by_release on works ((params->>'release')) where params ? 'release';

-- Names that are free again, and the works that take their markers out of DNS.
create index names_free on names (free_at) where free_at is not null;
create index works_of_names on works (key) where kind = 'name';

-- What its volumes take, as its host measures.
alter table instances add column disk_used_mb bigint not null default 0;

-- Images that are being taken out of the registry.
alter table images add column pruned_at timestamptz;

-- What a node may do, with the bit that the programs know it by: written from the table of roles, like states.
create table roles (name text primary key, bit bigint not null);
grant select on roles to fairlead_app, fairlead_read;
