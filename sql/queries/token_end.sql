-- Now, or after so many minutes if it does not end before.
update access_tokens set revoked_at = case when $2 = 0 then clock_timestamp() end,
    expires_at = case when $2 = 0 then expires_at
                      else least(coalesce(expires_at, 'infinity'), clock_timestamp() + $2 * interval '1 minute') end
where id = $1
