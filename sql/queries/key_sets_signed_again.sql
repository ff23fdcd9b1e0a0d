update key_sets set signed_again_at = clock_timestamp() where n <= $1 and signed_again_at is null and signs_at is not null returning 1
