-- Whose documents are signed again: an engine that has one of these in hand ends first, and reads what was signed.
select id from instances where id = any($1::uuid[]) order by id for no key update
