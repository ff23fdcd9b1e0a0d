update sessions set ended_at = clock_timestamp() where id = $1 and ended_at is null
