select id, kind, topic, partition, key, value, node_id, instance_id, document, letter
from outbox where lane = $1 and id > $2 order by id limit 512
