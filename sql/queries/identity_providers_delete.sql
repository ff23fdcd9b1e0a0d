delete from identity_providers where id = $1 returning id
