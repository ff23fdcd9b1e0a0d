-- Of instances that are deleted, with their data: nobody may open their secrets any more.
with purged as (delete from credentials where instance_id = any($1::uuid[]))
delete from recovery_boxes where instance_id = any($1::uuid[])
