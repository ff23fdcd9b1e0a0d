-- With the code that was given, used up by it; a second factor goes with what was before.
with taken as (
    update passwords p set hash = $3, changed_at = clock_timestamp(), code_hash = null, code_until = null
    from members m left join customers c on c.id = m.customer_id
    where p.member_id = m.id and coalesce(c.name, '-') || '/' || m.name = $1 and p.code_hash = $2 and p.code_until > clock_timestamp()
    returning m.id, m.customer_id),
factor as (delete from second_factors f using taken where f.member_id = taken.id)
select id, customer_id from taken
