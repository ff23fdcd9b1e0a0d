select {names} from names where instance_id = any($1::uuid[])
