insert into topics (name, node_id) values ($1, $2) on conflict (name) do nothing
