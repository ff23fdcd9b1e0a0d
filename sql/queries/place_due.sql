-- Which version of the due row there is: whoever makes another instance wait writes a new one.
select xmin::text from timers where kind = 'place' and subject = $1
