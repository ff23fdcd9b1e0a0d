delete from dead_letters where id = $1 returning id
