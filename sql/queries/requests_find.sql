select id, owner, key, fingerprint, status, answer, etag, location
from requests
where id = any($1::uuid[])
   or (owner, key) in (select * from unnest($2::text[], $3::text[]))
