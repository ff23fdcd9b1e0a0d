select p.hash, f.box, f.used_step, f.confirmed_at is not null
from passwords p left join second_factors f on f.member_id = p.member_id where p.member_id = $1 and p.hash is not null
