insert into plans (id, name, title, modes, max_instances, max_memory_mb, trial_days, requires, created_at)
select $1::uuid, $2::jsonb->>'name', $2::jsonb->>'title', array(select jsonb_array_elements_text($2::jsonb->'modes')),
    ($2::jsonb->>'max_instances')::bigint, ($2::jsonb->>'max_memory_mb')::bigint, ($2::jsonb->>'trial_days')::bigint,
    coalesce((select string_agg(distinct l, ',') from jsonb_array_elements_text($2::jsonb->'requires') l), ''), clock_timestamp()
on conflict do nothing returning id
