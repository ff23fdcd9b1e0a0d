select key, body from api_instances
where id > $1 and ($3::text is null or customer = $3) and ($4::text is null or tenant = $4)
  and ($5::text is null or name = $5) and case when $6::text is null then state <> 'deleted' else state = $6 end
order by id limit $2
