select {instances} from instances where id = any($1::uuid[])
