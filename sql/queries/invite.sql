with old as (delete from tokens where node_id = $1)
insert into tokens (hash, node_id, expires_at) values ($2, $1, clock_timestamp() + interval '1 hour')
