select {sets s} from instances i join sets s on s.tenant_id = i.tenant_id and s.instance_id = i.id
where i.id = any($1::uuid[])
