delete from sizes where id = $1 returning id
