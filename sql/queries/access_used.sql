with u as (select * from unnest($1::uuid[], $2::bigint[]) as u (id, us)),
s as (update sessions s set used_at = timestamptz 'epoch' + u.us * interval '1 microsecond' from u where s.id = u.id)
update access_tokens t set used_at = timestamptz 'epoch' + u.us * interval '1 microsecond' from u where t.id = u.id
