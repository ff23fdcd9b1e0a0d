-- Nodes are told of the next set when all documents have been signed again for $1 seconds, so that orders that the older key signed
-- are done by then; after a theft at once.
update key_sets k set released_at = clock_timestamp()
where k.released_at is null and (k.at_once or not exists (select from key_sets o
    where o.n < k.n and (o.signed_again_at is null or o.signed_again_at > clock_timestamp() - $1 * interval '1 second')))
returning k.n
