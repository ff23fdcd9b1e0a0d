select jsonb_build_object('generation', s.generation, 'intent', n.kind, 'step', s.step, 'act', s.act, 'set', s.letter, 'part', s.part, 'state', s.state,
    'attempt', s.attempt, 'started_at', rfc3339(s.started_at), 'ended_at', rfc3339(s.ended_at), 'class', s.class, 'problem', s.problem,
    'lines', s.lines, 'next_at', rfc3339(s.next_at), 'facts', s.facts)
from instances i
    join steps s on s.tenant_id = i.tenant_id and s.instance_id = i.id
    join intents n on n.tenant_id = s.tenant_id and n.instance_id = s.instance_id and n.generation = s.generation
where i.id = $1 order by s.generation, s.started_at nulls last, s.act
