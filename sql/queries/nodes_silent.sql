update nodes set health = 'unknown' where state = 'ready' and health = 'ok'
  and seen_at < clock_timestamp() - interval '35 seconds'
