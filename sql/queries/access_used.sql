-- What somebody holds is left out: it is written the next time.
with u as (select * from unnest($1::uuid[], $2::bigint[]) as u (id, us)),
s as (select s.id from sessions s join u using (id) order by s.id for no key update of s skip locked),
t as (select t.id from access_tokens t join u using (id) order by t.id for no key update of t skip locked),
sessions_used as (
    update sessions x set used_at = timestamptz 'epoch' + u.us * interval '1 microsecond' from u join s using (id) where x.id = u.id)
update access_tokens x set used_at = timestamptz 'epoch' + u.us * interval '1 microsecond' from u join t using (id) where x.id = u.id
