select id from customers where name = any($1::text[]) order by id for no key update
