-- Used or not: a node whose answer was lost asks again, and finds what was remembered.
select from tokens where hash = $1
