CREATE FUNCTION f(a INT, b TEXT NOT NULL) RETURNS TEXT LANGUAGE python AS $$
def f(a, b):
  return 'x;' + b
$$;
