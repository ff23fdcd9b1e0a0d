-- A node that enrols again runs the step again: only that makes it ready. Those of a private plane share the plane's topic.
insert into topics (name, node_id, plane_id) values ($1, $2, $3)
on conflict (name) do update set ready = false, wanted = topics.wanted + 1
