-- A node has another address from now on: a due row for each instance whose documents name it. $2 as it is: nothing.
with node as (update nodes set address = $2 where name = $1 and address <> $2 returning id),
concerned as (
    select s.instance_id as id from node n join sets s on s.node_id = n.id and s.state = 'placed'
    union select i.id from node n join instances i on i.edge_id = n.id and not i.gone),
due as (
    insert into timers (kind, subject, due_at)
    select 'refresh', replace(id::text, '-', ''), statement_timestamp() from concerned order by 2
    on conflict (kind, subject) do update set due_at = excluded.due_at returning 1)
select (select count(*) from due) from nodes where name = $1
