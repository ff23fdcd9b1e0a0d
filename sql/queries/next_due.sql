select next.at - clock_timestamp() < interval '0' as overdue,
    (extract(epoch from next.at - clock_timestamp()) * 1000000)::bigint
from (
    select least(
        (select min(t.due_at) from timers t where not (n.clock_held and t.kind = 'expire')),
        (select min(s.next_at) from steps s where s.state = 'open' and s.next_at is not null))
        - n.clock_offset_us * interval '1 microsecond' as at
    from installation n) next
