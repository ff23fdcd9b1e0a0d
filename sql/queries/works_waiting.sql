select work_key, max(started_at) from steps where state = 'open' and work_key = any($1::text[]) group by 1
