-- What a node lacks for its roles, as its self-test says, and whether its clock is off.
alter table nodes add lacks text;
grant select (lacks) on nodes to fairlead_customer;
