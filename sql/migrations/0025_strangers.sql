-- Documents that a node holds and PostgreSQL knows nothing of: a thief's, or those of a time that a restored database has not seen.
alter table nodes add strangers bigint not null default 0;
