-- Who may have a new certificate, and by which key it asks; not while it enrols anew.
select sign_key, enrolment from nodes where id = $1 and state in ('enrolled', 'ready') and enrolment > 0
for no key update
