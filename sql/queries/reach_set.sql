-- Whom this transaction serves (migration 0015): null of a kind is no limit of that kind, and opens nothing by itself.
select set_config('fairlead.customer', coalesce($1::uuid::text, ''), true), set_config('fairlead.tenant', coalesce($2::uuid::text, ''), true),
    set_config('fairlead.plane', coalesce($3::uuid::text, ''), true)
