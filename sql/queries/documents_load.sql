select
    tenant_id, node_id, instance_id, kind, epoch, revision, generation, absent, purge, confirmed,
    content, envelope, condition, observed, stream, report_n, trace
from documents where instance_id = any($1::uuid[])
