-- With which key this installation signs (NULL: its first), whether there is any set, and whether a rotation is under way.
select s.sign_key, s.since, u.n > 0, u.unfinished
from (select count(*) as n, coalesce(bool_or(signed_again_at is null), false) as unfinished from key_sets) u
    left join lateral (select sign_key, since from key_sets where signs_at is not null order by n desc limit 1) s on true
