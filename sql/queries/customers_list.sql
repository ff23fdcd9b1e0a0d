select key, body from api_customers where key > $1 order by key limit $2
