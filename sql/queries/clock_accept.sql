-- The clock is right as it is now: marks are taken anew.
with gone as (delete from clock_marks)
update installation set clock_held = false, clock_jump_us = 0 where clock_held returning 1
