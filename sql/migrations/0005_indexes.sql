-- What is kept of one node is summed at each record that nobody can use.
create index dead_letters_by_node on dead_letters (node_id);
-- Whoever waits for room is found without a look at everybody.
create index steps_to_place on steps (instance_id) where step = 'place' and state = 'open';
-- Rows of an instance are found by the primary key, which begins with its tenant: one index less each to write.
-- Nothing looks for an order by its identity.
drop index intents_by_instance, steps_by_instance, steps_by_order, works_by_order;
