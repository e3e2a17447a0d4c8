UPDTE t SET a = 1
