delete from requests where id = any($1::uuid[]) and status = 0
