select {intents t} from instances i join intents t on t.tenant_id = i.tenant_id and t.instance_id = i.id
where i.id = any($1::uuid[]) and (t.state in ('queued', 'running') or t.generation = i.running)
order by t.instance_id, t.generation
