-- Sums that are kept: by triggers, whoever writes, so that nobody counts all there is. The triggers run as the owner; the
-- application can neither write the sums nor call what does.

-- What the sets that are placed on a node reserve of it.
create table reservations (
    node_id uuid primary key references nodes on delete cascade,
    cpu_milli bigint not null,
    memory_mb bigint not null,
    disk_mb bigint not null,
    ports int8multirange not null
) with (fillfactor = 50);
create function reserve(sign bigint, of sets) returns void language sql as $$
    insert into reservations as r (node_id, cpu_milli, memory_mb, disk_mb, ports)
    select of.node_id, sign * i.cpu_milli, sign * i.memory_mb, sign * i.disk_mb,
        case when of.port > 0 then int8multirange(int8range(of.port, of.port + 1)) else '{}' end
    from instances i where i.tenant_id = of.tenant_id and i.id = of.instance_id and of.node_id is not null
    on conflict (node_id) do update set cpu_milli = r.cpu_milli + excluded.cpu_milli,
        memory_mb = r.memory_mb + excluded.memory_mb, disk_mb = r.disk_mb + excluded.disk_mb,
        ports = case when sign > 0 then r.ports + excluded.ports else r.ports - excluded.ports end
$$;
create function keep_reservation() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_op <> 'INSERT' and old.state = 'placed' then
        perform reserve(-1, old);
    end if;
    if tg_op <> 'DELETE' and new.state = 'placed' then
        perform reserve(1, new);
    end if;
    return null;
end
$$;
create trigger sets_reservation after insert or delete on sets for each row execute function keep_reservation();
create trigger sets_reservation_moved after update on sets for each row
    when ((old.state, old.node_id, old.port) is distinct from (new.state, new.node_id, new.port))
    execute function keep_reservation();
select reserve(1, s) from sets s where s.state = 'placed' order by s.node_id;
grant select on reservations to fairlead_app, fairlead_read;

-- What the instances of a customer that are not gone use of its plan. Whoever creates has locked the customer.
create table usages (
    customer_id uuid primary key references customers on delete cascade,
    instances bigint not null,
    memory_mb bigint not null
) with (fillfactor = 50);
create function use(customer uuid, more bigint, memory bigint) returns void language sql as $$
    insert into usages as u (customer_id, instances, memory_mb) values (customer, more, memory)
    on conflict (customer_id) do update set instances = u.instances + excluded.instances, memory_mb = u.memory_mb + excluded.memory_mb
$$;
create function keep_usage_of_new() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform use(x.customer_id, x.n, x.memory_mb) from (
        select customer_id, count(*) as n, sum(memory_mb)::bigint as memory_mb from new_rows group by 1 order by 1) x;
    return null;
end
$$;
create trigger instances_usage after insert on instances
    referencing new table as new_rows for each statement execute function keep_usage_of_new();
create function keep_usage() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform use(new.customer_id, (not new.gone)::int - (not old.gone)::int,
        case when new.gone then 0 else new.memory_mb end - case when old.gone then 0 else old.memory_mb end);
    return null;
end
$$;
create trigger instances_usage_changed after update on instances for each row
    when ((old.gone, old.memory_mb) is distinct from (new.gone, new.memory_mb)) execute function keep_usage();
insert into usages select customer_id, count(*), sum(memory_mb)::bigint from instances where not gone group by 1;
grant select on usages to fairlead_app, fairlead_read;
