select id, body from api_nodes where key = $1
