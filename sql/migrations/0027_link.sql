-- How a plane's nodes are told and heard: online, or by files that somebody carries. Of private ones only.
alter table planes add link text not null default 'online' check (link = 'online' or (link = 'file' and mode = 'private'));

-- What a node of a plane should hold, as its heartbeat says it: how many documents, the hash of their lines, and in a private plane whose topics it
-- reads (hex, with commas).
create function heartbeat_of(node uuid) returns table (documents bigint, hash bytea, private_plane uuid, tenants text)
    language sql stable as $$
    select count(d.line), sha256(convert_to(coalesce(string_agg(d.line, E'\n' order by d.line collate "C"), ''), 'UTF8')),
        p.id, (select replace(string_agg(t.id::text, ',' order by t.id), '-', '') from tenants t join topics o on o.tenant_id = t.id
            where t.customer_id = p.customer_id and t.retired_at is null and o.told)
    from nodes n left join planes p on p.id = n.plane_id and p.mode = 'private' left join lateral (
        select replace(instance_id::text, '-', '') || '.' || kind || case letter when 'a' then '' else '.' || letter end
            || ' ' || epoch || ' ' || revision as line
        from documents where node_id = n.id and not absent) d on true
    where n.id = node group by p.id, p.customer_id
$$;

-- What is being made on a plane.
create index instances_by_plane on instances (plane_id) where not gone;

-- Of a node that is heard by file: the stream of the youngest word about itself. Files come in any order.
alter table nodes add said_stream uuid;
