-- A node that enrols again runs the step again: only that makes it ready.
insert into topics (name, node_id) values ($1, $2)
on conflict (name) do update set ready = false, wanted = topics.wanted + 1
