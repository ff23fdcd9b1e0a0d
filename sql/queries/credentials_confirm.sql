update credentials set box = null, confirmed_at = clock_timestamp() where instance_id = $1 and confirmed_at is null
