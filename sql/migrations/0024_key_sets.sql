-- Sets of the coordinator's keys, each signed by the authority's root. The first key is in none: nodes pinned it.
create table key_sets (
    n bigint primary key check (n > 1),
    envelope bytea not null,
    sign_key bytea not null check (length(sign_key) = 32),
    since bigint not null,                                  -- of that key, the youngest of the set
    at_once boolean not null,                               -- after a theft: it waits for no other
    made_at timestamptz not null default clock_timestamp(),
    released_at timestamptz,                                -- nodes are told of it
    signs_at timestamptz,                                   -- its youngest key signs
    signed_again_at timestamptz                             -- ... and has signed all documents
);
grant select, insert, update, delete on key_sets to fairlead_app;
grant select on key_sets to fairlead_read;
alter table nodes add key_set bigint not null default 0, add keys_told_at timestamptz;
grant select (key_set) on nodes to fairlead_customer;
