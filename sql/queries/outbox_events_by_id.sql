-- What the version before has left in the outbox, which knew events by their identities: no index is for that any more.
select e.id, e.instance_id, e.sequence, e.generation, e.at, e.type, e.data, e.trace, e.tenant_id
from events e where e.id = any($1::uuid[]) order by e.instance_id, e.sequence
