select
    s.tenant_id, s.instance_id, s.generation, s.step, s.part, s.state, s.attempt, s.order_id,
    s.work_key, s.next_at, s.started_at, s.ended_at, s.class, s.problem, s.lines, s.facts
from instances i
    join steps s on s.tenant_id = i.tenant_id and s.instance_id = i.id and s.generation = i.running
where i.id = any($1::uuid[])
