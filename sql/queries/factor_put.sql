insert into second_factors (member_id, box) values ($1, $2)
on conflict (member_id) do update set box = excluded.box, used_step = 0 where second_factors.confirmed_at is null
returning member_id
