select sequence, type, jsonb_build_object('sequence', sequence, 'generation', generation, 'at', rfc3339(at), 'type', type,
    'data', data)
from events where instance_id = $1 and sequence > $2 order by sequence limit $3
