delete from timers where (kind, subject) in (select * from unnest($1::text[], $2::text[]))
