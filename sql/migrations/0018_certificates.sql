-- Nodes have certificates (SECURITY.md). Each enrolment is another principal to Kafka: what an earlier one was given
-- counts no more.
alter table nodes add enrolment bigint not null default 0;
alter table nodes add certificate_serial text;
alter table nodes add certificate_print text; -- SHA-256 of the whole: what people compare
alter table nodes add certificate_until timestamptz;
-- How often its step was asked for: one that runs meanwhile is not the last.
alter table topics add wanted bigint not null default 0;
grant select (enrolment, certificate_serial, certificate_print, certificate_until) on nodes to fairlead_customer;
-- What one coordinator does at a time, by the lock of a row.
create table turns (name text primary key);
insert into turns values ('rights');
grant select, update on turns to fairlead_app;
