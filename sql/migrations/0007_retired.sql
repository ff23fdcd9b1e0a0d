-- A node takes a new stream at each start; what still comes of the one before is late.
alter table documents add column retired uuid;
