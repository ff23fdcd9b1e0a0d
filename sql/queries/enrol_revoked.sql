-- Is it because these keys were revoked that the code of $1 lets nobody in?
select from tokens t join nodes n on n.id = t.node_id
where t.hash = $1 and t.used_at is null and n.state = 'retired' and n.sign_key = $2
