select least(
    (select min(due_at) from timers),
    (select min(next_at) from steps where state = 'open' and next_at is not null))
    - n.clock_offset_us * interval '1 microsecond' - clock_timestamp() < interval '0' as overdue,
    (extract(epoch from least(
    (select min(due_at) from timers),
    (select min(next_at) from steps where state = 'open' and next_at is not null))
    - n.clock_offset_us * interval '1 microsecond' - clock_timestamp()) * 1000000)::bigint
from installation n
