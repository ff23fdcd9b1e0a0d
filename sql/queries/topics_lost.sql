-- The broker has lost these: the step is run again. Their nodes stay what they are.
update topics set ready = false, wanted = wanted + 1 where name = any($1::text[])
