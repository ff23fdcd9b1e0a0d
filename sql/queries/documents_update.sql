update documents t set
    epoch = n.epoch, revision = n.revision, generation = n.generation, absent = n.absent,
    purge = n.purge, confirmed = n.confirmed, content = n.content, envelope = n.envelope,
    condition = n.condition, observed = n.observed, stream = n.stream,
    report_n = n.report_n, trace = n.trace
from unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[],
    $8::boolean[], $9::boolean[], $10::bytea[], $11::bytea[], $12::text[], $13::bigint[], $14::uuid[],
    $15::bigint[], $16::text[])
    as n (
        node_id, instance_id, kind, epoch, revision, generation, absent, purge, confirmed, content,
        envelope, condition, observed, stream, report_n, trace)
where t.node_id = n.node_id and t.instance_id = n.instance_id and t.kind = n.kind
