-- The current row, so that a late, repeated or reordered outbox row can only send something newer.
select d.node_id, d.instance_id, d.kind, d.absent and d.confirmed, d.envelope
from documents d join unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as a (node_id, instance_id, kind, letter)
    on d.node_id = a.node_id and d.instance_id = a.instance_id and d.kind = a.kind and d.letter = a.letter
