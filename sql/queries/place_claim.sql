-- Nothing is taken away that was written after the look.
delete from timers where kind = 'place' and subject = $1 and xmin::text = $2 returning 1
