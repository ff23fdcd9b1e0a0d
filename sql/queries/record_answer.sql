update requests set status = $2, answer = $3, location = $4 where id = $1
