select id, body from api_customers where key = $1
