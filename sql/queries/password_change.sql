update passwords set hash = $2, changed_at = clock_timestamp() where member_id = $1
