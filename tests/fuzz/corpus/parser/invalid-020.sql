SELECT a /* b
