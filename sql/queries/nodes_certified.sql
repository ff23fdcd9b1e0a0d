-- The certificate that a node has now.
update nodes set certificate_serial = $2, certificate_print = $3, certificate_until = $4 where id = $1
