-- The same revisions, signed again: whose revision has risen meanwhile was signed by who made it.
update documents d set envelope = x.envelope
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bytea[])
    as x (node_id, instance_id, kind, letter, epoch, revision, envelope)
where d.node_id = x.node_id and d.instance_id = x.instance_id and d.kind = x.kind and d.letter = x.letter
    and d.epoch = x.epoch and d.revision = x.revision
