-- Views for operators (docs/SQL.md). Each has its version in its name; a change of columns makes a new one.
create or replace view fleet_now_v1 as
    select c.name as customer, t.name as tenant, i.name as instance, r.app, r.version, i.state, i.health, i.host,
        i.public_url, n.name as node, i.expires_at, i.problem, i.id, i.health_reason
    from instances i
        join tenants t on t.id = i.tenant_id
        join customers c on c.id = t.customer_id
        join releases r on r.id = i.release_id
        left join nodes n on n.id = i.node_id
    where not i.gone;

create or replace view stuck_v1 as
    select c.name as customer, t.name as tenant, i.name as instance, i.state, s.step, s.part, s.state as step_state,
        s.attempt, s.class, coalesce(s.problem, i.problem) as reason, s.started_at as since, s.next_at as next_try,
        i.id
    from instances i
        join tenants t on t.id = i.tenant_id
        join customers c on c.id = t.customer_id
        join steps s on s.tenant_id = i.tenant_id and s.instance_id = i.id and s.generation = i.running
    where s.state = 'parked' or (s.state = 'open' and (s.problem is not null or s.attempt > 1));

create or replace view time_to_running_v1 as
    select r.app, n.generation, i.id, i.name as instance, n.accepted_at, n.ended_at as running_at,
        n.ended_at - n.accepted_at as took
    from intents n
        join instances i on i.tenant_id = n.tenant_id and i.id = n.instance_id
        join releases r on r.id = i.release_id
    where n.kind = 'create' and n.state = 'done';

create or replace view expiring_soon_v1 as
    select c.name as customer, t.name as tenant, i.name as instance, i.expires_at, i.state, i.id
    from instances i
        join tenants t on t.id = i.tenant_id
        join customers c on c.id = t.customer_id
    where not i.gone and i.state in ('new', 'running', 'stopped', 'failed') and i.expires_at is not null
      and i.expires_at < (select clock_timestamp() + clock_offset_us * interval '1 microsecond' from installation)
                         + interval '7 days'
    order by i.expires_at;

grant select on fleet_now_v1, stuck_v1, time_to_running_v1, expiring_soon_v1 to fairlead_app, fairlead_read;
grant select on events, walks, ports to fairlead_read;
