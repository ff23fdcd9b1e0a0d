-- Jumps of the clock (design section 9): the distance between the database's wall clock and a boot-time clock, per
-- boot of a coordinator's machine. When it changes by more than five minutes, timers that stop or remove are held.
create table clock_marks (
    boot text primary key,
    distance_us bigint not null,
    at timestamptz not null
);
alter table installation
    add column clock_held boolean not null default false,
    add column clock_jump_us bigint not null default 0;
grant select, insert, update, delete on clock_marks to fairlead_app;
