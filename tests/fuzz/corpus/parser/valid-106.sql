SELECT a -- trailing
, /* block /* nested */ */ b FROM t;
