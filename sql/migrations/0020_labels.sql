-- Labels of nodes, with commas, and what is asked of them: an instance runs where all that it requires is, and rather where what it
-- prefers is. A plan requires for all that is made under it.
alter table nodes add labels text not null default '';
alter table instances add requires text;
alter table instances add prefers text;
alter table plans add requires text not null default '';
grant select (labels) on nodes to fairlead_customer;
