insert into images (build_key, image, provenance, built_at)
select substr(key, 7), facts->>'image', facts || params, $2::timestamptz from works
where key = any($1::text[]) and kind = 'build' and state = 'done' and facts ? 'image'
on conflict (build_key) do update set image = excluded.image, built_at = excluded.built_at, pruned_at = null
