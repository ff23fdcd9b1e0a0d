select distinct s.instance_id from steps s, installation n
where s.state = 'open' and s.next_at <= clock_timestamp() + n.clock_offset_us * interval '1 microsecond' limit 256
