-- The denominator of reports into rows: the steps, intents and instances of 200 reports, ended by three statements over
-- arrays of keys in one transaction. bench_keys is made by the part that runs this.
\set from random(0, :last)
begin;
update steps set state = 'done', ended_at = clock_timestamp() from bench_keys k
where k.n between :from and :from + 199 and steps.tenant_id = k.tenant_id and steps.instance_id = k.id and generation = 1 and step = 'noop' and part = '';
update intents set state = 'done', ended_at = clock_timestamp() from bench_keys k
where k.n between :from and :from + 199 and intents.tenant_id = k.tenant_id and intents.instance_id = k.id and generation = 1;
update instances set state = 'running', updated_at = clock_timestamp() from bench_keys k
where k.n between :from and :from + 199 and instances.tenant_id = k.tenant_id and instances.id = k.id;
commit;
