-- What another coordinator works on is put back, not waited for.
select id from instances where id = any($1::uuid[]) order by id for no key update skip locked
