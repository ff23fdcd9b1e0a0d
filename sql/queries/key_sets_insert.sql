insert into key_sets (n, envelope, sign_key, since, at_once) values ($1, $2, $3, $4, $5)
