select id from planes where id = $1 for no key update
