select name, box from credentials where instance_id = $1 and box is not null and confirmed_at is null order by name
