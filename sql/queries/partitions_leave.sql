-- These, as bits, are this session's no more.
delete from partitions where pid = pg_backend_pid() and $1::bigint >> partition & 1 = 1
