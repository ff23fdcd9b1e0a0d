-- The code is used up in the same transaction; a second use finds nothing. Keys that were revoked are not let in again: whoever has
-- the disk that they lay on has them, too.
with t as (
    update tokens set used_at = clock_timestamp()
    where hash = $1 and used_at is null and expires_at > clock_timestamp()
        and not exists (select from nodes n where n.id = node_id and n.state = 'retired' and n.sign_key = $2)
    returning node_id),
node as (
    update nodes n set state = 'enrolled', sign_key = $2, seal_key = $3, seen_at = clock_timestamp(), enrolment = n.enrolment + 1,
        health = case p.link when 'file' then 'ok' else n.health end -- it was heard: nobody waits for it to speak again
    from t, planes p where n.id = t.node_id and p.id = n.plane_id
    returning n.id, n.name, n.roles, n.address, n.enrolment, n.plane_id),
-- Who is the first of a private plane brings the public half of its recovery key ($4).
recovery as (
    update planes p set recovery_key = $4 from node where p.id = node.plane_id and p.mode = 'private' and p.recovery_key is null)
select node.id, node.name, node.roles, node.address, node.enrolment, case when p.mode = 'private' then p.id end, p.link
from node join planes p on p.id = node.plane_id
