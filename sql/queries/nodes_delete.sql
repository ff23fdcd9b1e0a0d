delete from nodes where id = $1 returning id
