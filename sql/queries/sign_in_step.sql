-- A code counts once, also where two come at once.
update second_factors set used_step = $2, confirmed_at = coalesce(confirmed_at, clock_timestamp())
where member_id = $1 and used_step < $2 returning member_id
