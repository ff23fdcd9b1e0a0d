-- How the lanes of this connection fare: for how long their oldest row has waited (-1: none does), and whether any was sent.
update lanes l set
    waits_since = case when n.waits_us >= 0 then clock_timestamp() - n.waits_us * interval '1 microsecond' end,
    sent_at = case when n.sent then clock_timestamp() else l.sent_at end
from unnest($1::bigint[], $2::bigint[], $3::boolean[]) as n (lane, waits_us, sent)
where l.lane = n.lane and l.pid = pg_backend_pid()
