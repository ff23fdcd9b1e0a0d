-- $2 false: offered again. The first time counts.
update releases set withdrawn_at = case when $2::boolean then coalesce(withdrawn_at, clock_timestamp()) end
where app || '/' || version = $1 returning id
