select id, sign_key, roles @> '{builder}', roles @> '{host}', roles @> '{edge}', roles @> '{dns}', roles @> '{prober}'
from nodes where id = any($1::uuid[]) and state in ('enrolled', 'ready') and sign_key is not null
