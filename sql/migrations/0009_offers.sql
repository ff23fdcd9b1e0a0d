-- A release that turned out to be bad is offered no more; what runs on it goes on. An app may name the one that is taken
-- where no version is asked for.
alter table releases add column withdrawn_at timestamptz;
alter table apps add column default_version text;
