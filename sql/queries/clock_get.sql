select jsonb_build_object('held', clock_held, 'jump_s', clock_jump_us / 1000000,
    'now', rfc3339(clock_timestamp() + clock_offset_us * interval '1 microsecond'),
    'waiting', (select count(*) from timers t where t.kind = 'expire'
        and t.due_at <= clock_timestamp() + clock_offset_us * interval '1 microsecond'))
from installation
