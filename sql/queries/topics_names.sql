select name from topics where ready
