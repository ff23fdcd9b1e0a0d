select instance_id, kind, epoch, revision, absent, confirmed, observed, coalesce(condition, ''), letter
from documents where node_id = $1 and instance_id > $2 and instance_id <= $3 order by instance_id, kind, letter
