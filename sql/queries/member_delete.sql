-- With what was answered about it: names of its tokens, a title.
with answered as (
    delete from requests r using members m left join customers c on c.id = m.customer_id
    where m.id = $1 and r.kind in ('record', 'token', 'invite')
      and r.answer like '%"member": "' || coalesce(c.name || '/', '') || m.name || '"%')
delete from members where id = $1
