select jsonb_build_object('generation', s.generation, 'intent', n.kind, 'step', s.step, 'part', s.part, 'state', s.state,
    'attempt', s.attempt, 'started_at', s.started_at, 'ended_at', s.ended_at, 'class', s.class, 'problem', s.problem,
    'lines', s.lines, 'next_at', s.next_at, 'facts', s.facts)
from steps s join intents n on n.instance_id = s.instance_id and n.generation = s.generation
where s.instance_id = $1 order by s.generation, s.started_at nulls last, s.step
