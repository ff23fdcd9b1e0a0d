select name, wanted from topics where not ready
