SELECT md5('abc') AS a, encode('Hi', 'hex') AS b, encode('Hi', 'base64') AS c, from_bytes(decode('4869', 'hex')) AS d, md5(NULL) AS e;
