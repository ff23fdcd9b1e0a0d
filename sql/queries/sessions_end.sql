-- All of a member but one ($2).
update sessions set ended_at = clock_timestamp() where member_id = $1 and id <> $2 and ended_at is null
