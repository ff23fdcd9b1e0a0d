-- What was said lately is found without reading what was said ever; a BRIN index costs the hot path next to nothing.
create index events_by_time on events using brin (at);
