-- What PostgreSQL itself can say of the installation.
select
    (select count(*) from migrations),
    (select count(*) from outbox_held),
    (select count(*) from dead_letters),
    (select clock_held from installation),
    (select coalesce(string_agg(name, ', ' order by name), '') from nodes where state = 'ready' and health <> 'ok'),
    -- Roles that no ready node of a plane has.
    (select coalesce(string_agg(p.name || ': ' || r.name, ', ' order by 1), '') from planes p cross join roles r
        where not exists (select from nodes n where n.state = 'ready' and r.name = any(n.roles)
            and (n.plane_id = p.id or r.name in ('builder', 'dns')))),
    (select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::bigint from pg_stat_activity
        where state = 'idle in transaction' and datname = current_database()),
    -- Nodes that delete nothing for now.
    (select coalesce(string_agg(name || ' (' || doubt || ')', ', ' order by name), '') from nodes where state = 'ready' and doubt is not null),
    -- What nodes say that they lack.
    (select coalesce(string_agg(name || ': ' || lacks, ', ' order by name), '') from nodes where state = 'ready' and lacks is not null),
    -- Apps whose data takes more than four fifths of the disk of their size, the fullest first.
    (select coalesce(string_agg(f.name, ', ' order by f.taken desc), '') from (
        select i.name || ' of ' || c.name || ' (' || i.disk_used_mb * 100 / i.disk_mb || ' %)' as name,
            i.disk_used_mb * 100 / i.disk_mb as taken
        from instances i join customers c on c.id = i.customer_id
        where i.disk_mb > 0 and i.disk_used_mb * 5 >= i.disk_mb * 4 and not i.gone
        order by taken desc limit 5) f),
    -- Nodes that are heard of, and judge signatures by an older set of keys than an hour ago they were told.
    (select coalesce(string_agg(n.name, ', ' order by n.name), '') from nodes n join planes p on p.id = n.plane_id
        where n.state = 'ready' and n.health = 'ok' and p.link = 'online' and n.key_set < (select max(k.n) from key_sets k where k.released_at < clock_timestamp() - interval '1 hour')),
    -- Nodes that hold documents which nobody here has ever wanted.
    (select coalesce(string_agg(name || ' (' || strangers || ')', ', ' order by name), '') from nodes where state = 'ready' and strangers > 0)
