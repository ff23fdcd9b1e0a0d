-- One form of time wherever JSON leaves the house: RFC 3339, UTC, whatever the session's time zone.
create or replace function rfc3339(timestamptz) returns text language sql stable parallel safe
    return to_char($1 at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- What the API shows of each kind of record: its key in a path, and its body. They run with the rights of who asks: through
-- them, too, a customer sees no more than row level security lets through.
create or replace view api_plans with (security_invoker = true) as
    select name as key, id, jsonb_build_object('id', id, 'name', name, 'title', title, 'modes', modes,
        'max_instances', max_instances, 'max_memory_mb', max_memory_mb, 'trial_days', trial_days, 'requires', string_to_array(requires, ','),
        'created_at', rfc3339(created_at)) as body from plans;
create or replace view api_customers with (security_invoker = true) as
    select c.name as key, c.id, jsonb_build_object('id', c.id, 'name', c.name, 'title', c.title, 'plan', p.name,
        'created_at', rfc3339(c.created_at)) as body from customers c join plans p on p.id = c.plan_id
    where c.retired_at is null;
create or replace view api_tenants with (security_invoker = true) as
    select c.name || '/' || t.name as key, t.id, jsonb_build_object('id', t.id, 'customer', c.name, 'name', t.name,
        'title', t.title, 'created_at', rfc3339(t.created_at)) as body from tenants t join customers c on c.id = t.customer_id
    where t.retired_at is null;
-- A plane is what its nodes are: pending until apps can run and be served there, unreachable when no node is heard, degraded when one is
-- not well, active when all are. Said to whoever sees the plane; which node, to who sees nodes.
create or replace function plane_phase(plane uuid) returns text language sql stable security definer set search_path = public as $$
    select case when not coalesce(bool_or('host' = any(n.roles)) and bool_or('edge' = any(n.roles)), false) then 'pending'
        when bool_and(n.health = 'unknown') then 'unreachable'
        when bool_or(n.health = 'unknown' or n.lacks is not null or n.doubt is not null) then 'degraded' else 'active' end
    from nodes n where n.plane_id = plane and n.state = 'ready'
$$;
create or replace view api_planes with (security_invoker = true) as
    select p.name as key, p.id, jsonb_build_object('id', p.id, 'name', p.name, 'mode', p.mode, 'customer', c.name,
        'domain', p.domain, 'scheme', p.scheme, 'public_port', p.public_port, 'link', p.link,
        'recovery_key', encode(p.recovery_key, 'hex'), 'phase', plane_phase(p.id), 'phase_reason', (
            select min(case when n.health = 'unknown' then 'node "' || n.name || '" is not heard of'
                when n.lacks is not null then 'node "' || n.name || '" lacks something: ' || n.lacks
                when n.doubt is not null then 'node "' || n.name || '" is in doubt: ' || n.doubt end)
            from nodes n where n.plane_id = p.id and n.state = 'ready'),
        'created_at', rfc3339(p.created_at)) as body
    from planes p left join customers c on c.id = p.customer_id;
create or replace view api_nodes with (security_invoker = true) as
    select n.name as key, n.id, jsonb_build_object('id', n.id, 'name', n.name, 'plane', p.name, 'roles', n.roles, 'labels', string_to_array(n.labels, ','),
        'state', n.state, 'health', n.health, 'address', n.address, 'arch', n.arch, 'cpu_milli', n.cpu_milli,
        'memory_mb', n.memory_mb, 'disk_mb', n.disk_mb, 'version', n.version, 'seen_at', rfc3339(n.seen_at),
        'certificate', case when n.certificate_serial is not null then jsonb_build_object('enrolment', n.enrolment,
            'serial', n.certificate_serial, 'fingerprint', n.certificate_print, 'until', rfc3339(n.certificate_until)) end, 'doubt', n.doubt, 'lacks', n.lacks, 'key_set', n.key_set,
        'memory_used_mb', coalesce((select u.memory_mb from reservations u where u.node_id = n.id), 0),
        'created_at', rfc3339(n.created_at)) as body from nodes n join planes p on p.id = n.plane_id;
create or replace view api_sizes with (security_invoker = true) as
    select p.name || '/' || s.name as key, s.id, jsonb_build_object('id', s.id, 'plane', p.name, 'name', s.name,
        'cpu_milli', s.cpu_milli, 'memory_mb', s.memory_mb, 'disk_mb', s.disk_mb, 'created_at', rfc3339(s.created_at)) as body
    from sizes s join planes p on p.id = s.plane_id;
-- The release of an app that is taken where no version is asked for: its default, or the newest.
create or replace view app_offers with (security_invoker = true) as
    select distinct on (r.app) r.app, r.version, r.spec
    from releases r join apps a on a.name = r.app
    where r.withdrawn_at is null
    order by r.app, r.version = a.default_version desc, r.created_at desc;
create or replace view api_apps with (security_invoker = true) as
    select a.name as key, null::uuid as id, jsonb_build_object('name', a.name, 'title', a.title, 'summary', a.summary,
        'versions', (select jsonb_agg(r.version order by r.created_at desc) from releases r
                     where r.app = a.name and r.withdrawn_at is null),
        'withdrawn', (select jsonb_agg(r.version order by r.created_at desc) from releases r
                      where r.app = a.name and r.withdrawn_at is not null),
        'default', o.version, 'inputs', o.spec->'inputs',
        'created_at', rfc3339(a.created_at)) as body from apps a left join app_offers o on o.app = a.name;
create or replace view api_releases as
    select app || '/' || version as key, id, jsonb_build_object('id', id, 'app', app, 'version', version,
        'spec', spec, 'template', template,
        'sources', (select jsonb_object_agg(w.params->>'image', jsonb_build_object('state', w.state,
                        'commit', w.facts->>'commit', 'problem', w.problem))
                    from works w where w.params ? 'release' and w.params->>'release' = replace(releases.id::text, '-', '')),
        'withdrawn_at', rfc3339(withdrawn_at), 'created_at', rfc3339(created_at)) as body
    from releases;
create or replace view api_dead_letters as
    select id::text as key, id, jsonb_build_object('id', id, 'source', source, 'node', node_id,
        'reason', reason, 'bytes', length(bytes), 'hex', encode(substr(bytes, 1, 2048), 'hex'),
        'created_at', rfc3339(created_at)) as body from dead_letters;
create or replace view api_key_sets as
    select lpad(k.n::text, 12, '0') as key, k.n, jsonb_build_object('n', k.n, 'key', encode(k.sign_key, 'hex'), 'at_once', k.at_once,
        'phase', case when k.released_at is null then 'waiting' when k.signs_at is null then 'telling nodes'
            when k.signed_again_at is null then 'signing documents again' else 'done' end,
        'behind', (select count(*) from nodes where state = 'ready' and key_set < k.n),
        'made_at', rfc3339(k.made_at), 'released_at', rfc3339(k.released_at), 'signs_at', rfc3339(k.signs_at),
        'signed_again_at', rfc3339(k.signed_again_at)) as body from key_sets k;
create or replace view api_instances with (security_invoker = true) as
    select i.id::text as key, i.id, i.accepted as etag, i.tenant_id, c.name as customer, t.name as tenant, i.name,
        i.state, jsonb_build_object(
        'id', i.id, 'name', i.name, 'customer', c.name, 'tenant', t.name, 'app', r.app, 'version', r.version,
        'plane', p.name, 'size', s.name, 'requires', string_to_array(coalesce(i.requires, ''), ','), 'prefers', string_to_array(coalesce(i.prefers, ''), ','), 'state', i.state, 'health', i.health, 'health_reason', i.health_reason, 'host', i.host, 'url', i.public_url,
        'node', n.name, 'edge', e.name, 'prober', w.name, 'port', i.port,
        'problem', coalesce(i.problem, (select x.problem from steps x
            where x.tenant_id = i.tenant_id and x.instance_id = i.id and x.generation = i.running and x.state = 'open' and x.problem is not null
            order by x.started_at limit 1)), 'inputs', i.inputs, 'images', i.images, 'commits', i.commits,
        'generation', i.accepted, 'running', i.running, 'last_event', i.event_seq, 'memory_mb', i.memory_mb, 'cpu_milli', i.cpu_milli,
        'disk_mb', i.disk_mb, 'disk_used_mb', i.disk_used_mb, 'expires_at', rfc3339(i.expires_at), 'created_at', rfc3339(i.created_at), 'updated_at', rfc3339(i.updated_at)) as body
    from instances i
        join tenants t on t.id = i.tenant_id
        join customers c on c.id = t.customer_id
        join releases r on r.id = i.release_id
        join planes p on p.id = i.plane_id
        left join sizes s on s.id = i.size_id
        left join nodes n on n.id = i.node_id
        left join nodes e on e.id = i.edge_id
        left join nodes w on w.id = i.prober_id;
create or replace view api_roles with (security_invoker = true) as
    select name as key, jsonb_build_object('name', name, 'side', side, 'title', title, 'scopes', to_jsonb(scopes)) as body
    from access_roles;
create or replace view api_members with (security_invoker = true) as
    select coalesce(c.name, '-') || '/' || m.name as key, m.id, jsonb_build_object('id', m.id,
        'member', case when c.id is null then m.name else c.name || '/' || m.name end, 'name', m.name, 'title', m.title,
        'kind', m.kind, 'role', m.role, 'customer', c.name, 'tenant', t.name, 'plane', p.name,
        'created_at', rfc3339(m.created_at)) as body
    from members m
        left join customers c on c.id = m.customer_id
        left join tenants t on t.id = m.tenant_id
        left join planes p on p.id = m.plane_id;
create or replace view api_tokens with (security_invoker = true) as
    select a.id, a.member_id, jsonb_build_object('id', a.id,
        'member', case when c.id is null then m.name else c.name || '/' || m.name end, 'name', a.name, 'hint', a.hint,
        'scopes', to_jsonb(a.scopes), 'created_at', rfc3339(a.created_at), 'expires_at', rfc3339(a.expires_at),
        'used_at', rfc3339(a.used_at)) as body
    from access_tokens a
        join members m on m.id = a.member_id
        left join customers c on c.id = m.customer_id
    where a.revoked_at is null and (a.expires_at is null or a.expires_at > clock_timestamp());
create or replace view api_identity_providers with (security_invoker = true) as
    select coalesce(c.name, '-') || '/' || p.name as key, p.id, jsonb_build_object('id', p.id, 'name', p.name, 'title', p.title,
        'customer', c.name, 'issuer', p.issuer, 'client_id', p.client_id, 'claim', p.claim,
        'sign_in', '/v1/sign-in/' || coalesce(c.name, '-') || '/' || p.name, 'created_at', rfc3339(p.created_at)) as body
    from identity_providers p left join customers c on c.id = p.customer_id;
grant select on api_identity_providers to fairlead_app, fairlead_read, fairlead_customer;
grant select on api_plans, api_customers, api_tenants, api_planes, api_nodes, api_sizes, api_apps, app_offers, api_instances,
    api_roles, api_members, api_tokens to fairlead_customer;
grant select on api_roles, api_members, api_tokens to fairlead_app;
grant select on app_offers, api_plans, api_customers, api_tenants, api_planes, api_nodes, api_sizes, api_apps, api_releases,
    api_dead_letters, api_key_sets, api_instances to fairlead_app, fairlead_read;
