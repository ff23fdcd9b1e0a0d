update nodes n set seen_at = clock_timestamp(), health = 'ok', version = a.version
from unnest($1::uuid[], $2::text[]) as a (id, version) where n.id = a.id
