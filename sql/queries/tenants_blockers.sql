select 'instance ' || name || case when state = 'deleted' then ' (its history is kept)' else '' end
from instances where tenant_id = $1 order by 1 limit 10
