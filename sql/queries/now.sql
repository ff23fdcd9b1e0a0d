select clock_timestamp() + clock_offset_us * interval '1 microsecond', epoch,
    (select sign_key from key_sets where signs_at is not null order by n desc limit 1) from installation
