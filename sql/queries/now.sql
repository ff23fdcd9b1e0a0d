select clock_timestamp() + clock_offset_us * interval '1 microsecond', epoch from installation
