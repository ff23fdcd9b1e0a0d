-- What the images of a set were built from, by their names: an in-toto statement each. Null: an earlier version built them.
alter table sets add column provenance jsonb;
grant select (tenant_id, instance_id, letter, images, provenance) on sets to fairlead_customer;
