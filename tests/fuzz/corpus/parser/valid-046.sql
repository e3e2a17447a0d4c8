SELECT count(*) count, end FROM t;
