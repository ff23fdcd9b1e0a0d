insert into passwords (member_id, code_hash, code_until) values ($1, $2, clock_timestamp() + interval '1 day')
on conflict (member_id) do update set code_hash = excluded.code_hash, code_until = excluded.code_until
