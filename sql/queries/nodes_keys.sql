select id, sign_key, (select sum(r.bit) from roles r where r.name = any(roles))::bigint
from nodes where id = any($1::uuid[]) and state in ('enrolled', 'ready') and sign_key is not null
