-- Who has ever had a certificate, and what it may: of the node of topic $1, or with null of all.
select n.id, n.enrolment, (select sum(r.bit) from roles r where r.name = any(n.roles))::bigint, n.state = 'retired'
from nodes n
where n.enrolment > 0 and ($1::text is null or n.id = (select node_id from topics where name = $1))
