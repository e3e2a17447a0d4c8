SET x
