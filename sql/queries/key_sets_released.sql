-- What a node is given that joins, or that renews its certificate.
select envelope from key_sets where released_at is not null order by n desc limit 1
