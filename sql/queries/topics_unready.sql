select name from topics where not ready
