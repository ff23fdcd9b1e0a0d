-- Which session reads a partition of the reports, named like that of a lane: by its process and its beginning.
create table partitions (
    partition int primary key,
    pid int not null,
    began timestamptz not null
);
grant select, insert, update, delete on partitions to fairlead_app;
grant select on partitions to fairlead_read;
