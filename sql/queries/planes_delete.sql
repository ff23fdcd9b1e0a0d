delete from planes where id = $1 returning id
