-- Read behind the statement that may have set it: of two that are the first, one is.
select encode(recovery_key, 'hex') from planes where id = $1 and mode = 'private'
