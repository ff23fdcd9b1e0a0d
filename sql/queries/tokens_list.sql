-- One's own, or all that are reached.
select id::text, body from api_tokens where id > $1 and ($2::boolean or member_id = $3) order by id limit $4
