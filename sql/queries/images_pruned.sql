-- The registry has them no more. One that was built again meanwhile is not marked any more, or has its work.
delete from images m
where m.image = any($1::text[]) and m.pruned_at is not null
    and not exists (select from works w where w.key = 'build:' || m.build_key)
