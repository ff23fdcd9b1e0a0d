select {documents} from documents where instance_id = any($1::uuid[])
