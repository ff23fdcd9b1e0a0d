-- A part of an inventory told of $3 documents that are not known here; the first part ($2) begins to count anew.
update nodes set strangers = case when $2 then 0 else strangers end + $3
where id = $1 and strangers <> case when $2 then 0 else strangers end + $3 returning 1
