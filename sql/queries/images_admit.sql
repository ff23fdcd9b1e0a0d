-- May node $1, as it enrolled the $2nd time, reach repository $3 ($4: to write)? A builder all of them; another those that
-- its apps are made of, to read.
select from nodes n
where n.id = $1 and n.enrolment = $2 and n.state in ('enrolled', 'ready') and ('builder' = any(n.roles)
    or (not $4::boolean and ($3 = '' or exists (
        select from sets s, jsonb_each_text(s.images) i
        where s.node_id = n.id and s.state <> 'gone' and split_part(i.value, '@', 1) = $3))))
