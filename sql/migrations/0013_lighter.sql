-- What an accepted intent writes, and what is read for it.

-- The one update of each row finds room on its page: no row is locked first, and of intents no index is touched.
alter table intents set (fillfactor = 50);
alter table steps set (fillfactor = 50);
-- What a customer has is found by its tenants.
drop index instances_by_customer;
-- Its plan is kept for as long as the connection; made for one row, it compared each row of a batch with each other.
alter function refuse_transition() set enable_nestloop = off;
-- What ends soon is found without a look at all that does not end.
create index instances_ending on instances (expires_at) where expires_at is not null and not gone;
