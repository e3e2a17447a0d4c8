"""Query templates. Each takes (rng, tables) and returns an E: the query for Laminar and its equal for DuckDB.

Tables: t and u hold rows with a row time, c and d changelogs. Output columns get the aliases o0, o1 …
"""
from expressions import E, Expressions, name, pair

ALL = []


def template(function):
    ALL.append(function)
    return function


def aliased(items):
    return [pair("{e} AS o{i}", e=e, i=i) for i, e in enumerate(items)]


def where(r, x, chance=0.5, depth=2):
    return pair(" WHERE {c}", c=x.bool(depth)) if r.random() < chance else ""


def some(r, table, n=None):
    """A few columns of the table, id first."""
    columns = r.sample(table.columns, n or r.randint(1, 4))
    return [E("id", "id")] + [name(c) for c in columns]


def ordering(r, table):
    """An ORDER BY that leaves ties to the arrival order, which is DuckDB's `id`."""
    items = []
    for column in r.sample(table.columns, r.randint(1, 2)):
        items.append(pair("{c} {d} NULLS {n}", c=name(column), d=r.choice(["ASC", "DESC"]), n=r.choice(["FIRST", "LAST"])))
    order = pair("{i}", i=items)
    return E(order.laminar, order.duckdb + ", id")


# ---- stateless

@template
def project_filter(r, tables):
    t = r.choice([tables["t"], tables["u"]])
    x = Expressions(r, ("", t))
    items = [E("id", "id")] + [x.any(3) for _ in range(r.randint(1, 6))]
    return pair("SELECT {i} FROM {t}{w}", i=aliased(items), t=t.name, w=where(r, x, depth=3))


@template
def project_filter_changelog(r, tables):
    t = r.choice([tables["c"], tables["d"]])
    x = Expressions(r, ("", t))
    items = ([E("id", "id")] if r.random() < 0.7 else []) + [x.any(2) for _ in range(r.randint(1, 4))]
    return pair("SELECT {i} FROM {t}{w}", i=aliased(items), t=t.name, w=where(r, x))


@template
def pass_through(r, tables):
    """All columns with large BIGINTs, and their exact text."""
    t = tables[r.choice("tucd")]
    return pair("SELECT {i} FROM {t}", i=[E("id", "id")] + [name(c) for c in t.columns], t=t.name)


@template
def nested_select(r, tables):
    t = tables[r.choice("tuc")]
    x = Expressions(r, ("", t))
    inner = [x.int(2), x.text(2), x.double(1), x.bool(2)]
    outer = E(*["SELECT p0 + 1 AS o0, UPPER(p1) AS o1, p2 AS o2, CASE WHEN p3 THEN p0 END AS o3 FROM ({inner}) s WHERE p3 IS NOT TRUE OR p0 > 0"] * 2)
    sub = pair("SELECT {i} FROM {t}{w}", i=[pair("{e} AS p{n}", e=e, n=n) for n, e in enumerate(inner)], t=t.name, w=where(r, x))
    return E(outer.laminar.replace("{inner}", sub.laminar), outer.duckdb.replace("{inner}", sub.duckdb))


@template
def union_all(r, tables):
    a, b = (tables["t"], tables["u"]) if r.random() < 0.6 else (tables["c"], tables["t"])
    xa, xb = Expressions(r, ("", a)), Expressions(r, ("", b))
    families = r.choices(["int", "text", "double", "decimal", "time", "bool"], k=3)
    left, right = ([x.draw(f, 1) for f in families] for x in (xa, xb))
    return pair("SELECT {a} FROM {ta}{wa} UNION ALL SELECT {b} FROM {tb}{wb}", a=aliased(left), b=aliased(right), ta=a.name, tb=b.name,
                wa=where(r, xa), wb=where(r, xb))


@template
def union_mixed_types(r, tables):
    """INT with DOUBLE, INT with DECIMAL: the wider type wins."""
    t, u = tables["t"], tables["u"]
    xt, xu = Expressions(r, ("", t)), Expressions(r, ("", u))
    return pair("SELECT {a} FROM t UNION ALL SELECT {b} FROM u", a=aliased([xt.column("int"), xt.column("decimal")]),
                b=aliased([xu.column("double"), xu.column("int")]))


# ---- aggregates

def keys_of(r, x, t):
    def computed():
        e = x.draw(r.choice(["int", "text", "bool"]), 1)
        return e if '"' in e.duckdb else name(t.few("int"))  # without a column it would be an ordinal
    return [r.choice([name(t.few("int")), name(t.few("text")), x.column("bool"), computed()]) for _ in range(r.randint(1, 2))]


def group_by(r, t, with_order=False):
    x = Expressions(r, ("", t))
    keys = keys_of(r, x, t)
    aggregates = [x.aggregate(E("id", "id") if with_order else None) for _ in range(r.randint(1, 5))]
    having = pair(" HAVING {h}", h=r.choice(["COUNT(*) > 2", "COUNT(*) % 2 = 0", "MIN(id) > 3"])) if r.random() < 0.2 else ""
    ordinals = ", ".join(str(i + 1) for i in range(len(keys)))
    return pair("SELECT {i} FROM {t}{w} GROUP BY {k}{h}", i=aliased(keys + aggregates), t=t.name, w=where(r, x, 0.3),
                k=ordinals if r.random() < 0.5 else keys, h=having)


@template
def group_updating(r, tables):
    return group_by(r, tables[r.choice("tu")], with_order=True)


@template
def group_updating_more(r, tables):
    return group_by(r, tables[r.choice("tu")])


@template
def group_changelog(r, tables):
    return group_by(r, tables[r.choice("cd")])


@template
def group_changelog_ordered(r, tables):
    return group_by(r, tables[r.choice("cd")], with_order=True)


@template
def global_aggregate(r, tables):
    t = tables[r.choice("tuc")]
    x = Expressions(r, ("", t))
    items = aliased([x.aggregate() for _ in range(r.randint(1, 4))])
    w = where(r, x, 0.3)
    query = pair("SELECT {i} FROM {t}{w}", i=items, t=t.name, w=w)
    # Laminar says nothing before the first row; a changelog may leave the row of an empty group behind.
    return E(query.laminar + (" HAVING COUNT(*) > 0"), query.duckdb + " HAVING COUNT(*) > 0")


@template
def aggregate_of_aggregate(r, tables):
    t = tables[r.choice("tc")]
    x = Expressions(r, ("", t))
    return pair("SELECT n AS o0, COUNT(*) AS o1, SUM(m) AS o2, MIN(g) AS o3 FROM (SELECT {g} AS g, COUNT(*) AS n, MAX({m}) AS m FROM {t}{w} GROUP BY {g}) s GROUP BY n",
                g=r.choice([name(t.few("text")), x.column("int"), pair("{a} % 5", a=x.column("int"))]), m=x.column("int"), t=t.name, w=where(r, x, 0.3))


@template
def distinct(r, tables):
    t = tables[r.choice("tu")]
    x = Expressions(r, ("", t))
    return pair("SELECT DISTINCT {i} FROM {t}{w}", i=aliased([x.any(1) for _ in range(r.randint(1, 3))]), t=t.name, w=where(r, x))


@template
def union_distinct(r, tables):
    xt, xu = Expressions(r, ("", tables["t"])), Expressions(r, ("", tables["u"]))
    families = r.choices(["int", "text", "bool"], k=2)
    return pair("SELECT {a} FROM t UNION SELECT {b} FROM u", a=aliased([xt.draw(f, 1) for f in families]), b=aliased([xu.draw(f, 1) for f in families]))


# ---- windows

def floor_to(us, size):
    return f"({us} - (({us} % {size}) + {size}) % {size})"


def tumbled(table, size, filters=""):
    start = floor_to("epoch_us(ts)", size * 1_000_000)
    return (f"(SELECT *, make_timestamp({start}) AS window_start, make_timestamp({start} + {size * 1_000_000}) AS window_end FROM {table}{filters}) w")


def hopped(table, slide, size, filters=""):
    start = f"({floor_to('epoch_us(ts)', slide * 1_000_000)} - k * {slide * 1_000_000})"
    return (f"(SELECT t.*, make_timestamp({start}) AS window_start, make_timestamp({start} + {size * 1_000_000}) AS window_end "
            f"FROM {table} t, range({size // slide}) hops(k){filters}) w")


def sessions(table, keys, gap, filters=""):
    keys = f"PARTITION BY {', '.join(keys)} " if keys else ""
    both = f"{keys.strip()}, sid" if keys else "PARTITION BY sid"
    return (f"(SELECT *, MIN(ts) OVER ({both}) AS window_start, MAX(ts) OVER ({both}) + INTERVAL {gap} SECOND AS window_end FROM "
            f"(SELECT *, SUM(CASE WHEN gap THEN 1 ELSE 0 END) OVER ({keys}ORDER BY ts, id ROWS UNBOUNDED PRECEDING) AS sid FROM "
            f"(SELECT *, ts - LAG(ts) OVER ({keys}ORDER BY ts, id) >= INTERVAL {gap} SECOND AS gap FROM {table}{filters}))) w")


def windowed(r, x, t, function, arguments, duck_source, keys):
    """A windowed GROUP BY in one of the three spellings. function and arguments as in TUMBLE, `INTERVAL …`."""
    aggregates = [x.aggregate(E("id", "id") if r.random() < 0.3 else None) for _ in range(r.randint(1, 4))]
    w = where(r, x, 0.4)
    duck_where = w.duckdb if w else ""
    items = aliased(keys + aggregates)
    k = [pair("{k}, ", k=key) for key in keys]
    prefix = E("".join(p.laminar for p in k), "".join(p.duckdb for p in k))
    duck = f"SELECT {', '.join(i.duckdb for i in items)}, window_start, window_end FROM {duck_source(duck_where)} GROUP BY {prefix.duckdb}window_start, window_end"
    select = ", ".join(i.laminar for i in items)
    filters = w.laminar if w else ""
    form = r.randrange(4)
    if function == "SESSION" and form == 0:
        form = 1
    if form == 0:
        laminar = (f"SELECT {select}, window_start, window_end FROM TABLE({function}(TABLE {t.name}, DESCRIPTOR(ts), {arguments})){filters} "
                   f"GROUP BY {prefix.laminar}window_start, window_end")
    elif form == 1:
        laminar = f"SELECT {select}, {function}_START(ts, {arguments}) AS ws, {function}_END(ts, {arguments}) AS we FROM {t.name}{filters} GROUP BY {prefix.laminar}{function}(ts, {arguments})"
    elif form == 2:
        inner = ", ".join(i.laminar for i in items)
        names = ", ".join(f"o{i}" for i in range(len(items)))
        laminar = f"SELECT {names}, w.start AS ws, w.end AS we FROM (SELECT {inner}, {function}({arguments}) AS w FROM {t.name}{filters} GROUP BY {prefix.laminar}w) q"
    else:
        laminar = f"SELECT {select}, {function}({arguments}) AS w, w.start AS ws, w.end AS we FROM {t.name}{filters} GROUP BY {prefix.laminar}w"
        laminar = f"SELECT {', '.join(f'o{i}' for i in range(len(items)))}, ws, we FROM ({laminar}) q"
    return E(laminar, duck)


def window_keys(r, x, t):
    return [r.choice([name(t.few("int")), name(t.few("text")), x.column("bool")]) for _ in range(r.randint(0, 2))]


@template
def tumble(r, tables):
    t = tables[r.choice("tu")]
    x = Expressions(r, ("", t))
    size = r.choice([1, 5, 10, 60])
    return windowed(r, x, t, "TUMBLE", f"INTERVAL '{size}' SECOND", lambda w: tumbled(t.name, size, w), window_keys(r, x, t))


@template
def hop(r, tables):
    t = tables[r.choice("tu")]
    x = Expressions(r, ("", t))
    slide, size = r.choice([(2, 10), (5, 10), (1, 3), (10, 60), (5, 5)])
    return windowed(r, x, t, "HOP", f"INTERVAL '{slide}' SECOND, INTERVAL '{size}' SECOND", lambda w: hopped(t.name, slide, size, w), window_keys(r, x, t))


@template
def session(r, tables):
    t = tables[r.choice("tu")]
    x = Expressions(r, ("", t))
    gap, keys = r.choice([1, 3, 10]), window_keys(r, x, t)
    return windowed(r, x, t, "SESSION", f"INTERVAL '{gap}' SECOND", lambda w: sessions(t.name, [k.duckdb for k in keys], gap, w), keys)


@template
def session_function(r, tables):
    t = tables[r.choice("tu")]
    x = Expressions(r, ("", t))
    gap, key = r.choice([1, 3, 10]), r.choice([name(t.few("int")), name(t.few("text"))])
    items = [key] + [x.aggregate() for _ in range(2)]
    w = where(r, x, 0.3)
    laminar = (f"SELECT {', '.join(i.laminar for i in aliased(items))}, window_start, window_end FROM TABLE(SESSION(TABLE {t.name} PARTITION BY {key.laminar}, "
               f"DESCRIPTOR(ts), INTERVAL '{gap}' SECOND)){w.laminar if w else ''} GROUP BY {key.laminar}, window_start, window_end")
    duck = (f"SELECT {', '.join(i.duckdb for i in aliased(items))}, window_start, window_end FROM {sessions(t.name, [key.duckdb], gap)}"
            f"{w.duckdb if w else ''} GROUP BY {key.duckdb}, window_start, window_end")
    return E(laminar, duck)


@template
def window_again(r, tables):
    """Grouping a windowed result by the same window again."""
    t = tables[r.choice("tu")]
    x = Expressions(r, ("", t))
    size, k = r.choice([5, 10]), name(t.few("text"))
    duck_inner = f"(SELECT window_start, {k.duckdb} AS k, COUNT(*) AS n FROM {tumbled(t.name, size)} GROUP BY window_start, {k.duckdb}) i"
    laminar = (f"SELECT window_start AS ws, COUNT(*) AS groups, SUM(n) AS total, MAX(n) AS top FROM (SELECT window_start, window_end, {k.laminar} AS k, COUNT(*) AS n "
               f"FROM TABLE(TUMBLE(TABLE {t.name}, DESCRIPTOR(ts), INTERVAL '{size}' SECOND)) GROUP BY window_start, window_end, {k.laminar}) i GROUP BY window_start, window_end")
    return E(laminar, f"SELECT window_start, COUNT(*), SUM(n), MAX(n) FROM {duck_inner} GROUP BY window_start")


@template
def window_join(r, tables):
    kind = r.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
    t, u = tables["t"], tables["u"]
    size = r.choice([5, 10])
    key = r.choice(["int", "text"])
    def side(table, engine):
        k = name(table.few(key))[engine]
        source = tumbled(table.name, size) if engine else f"TABLE(TUMBLE(TABLE {table.name}, DESCRIPTOR(ts), INTERVAL '{size}' SECOND))"
        return f"(SELECT {k} AS k, COUNT(*) AS n, window_start, window_end FROM {source} GROUP BY {k}, window_start, window_end)"
    both = [f"SELECT a.k AS o0, b.k AS o1, a.n AS o2, b.n AS o3, a.window_start AS o4, b.window_start AS o5 FROM {side(t, e)} a {kind} {side(u, e)} b "
            f"ON a.window_start = b.window_start AND a.window_end = b.window_end AND a.k = b.k" for e in (0, 1)]
    return E(*both)


@template
def window_top_n(r, tables):
    t = tables[r.choice("tu")]
    size, n, k = r.choice([5, 10]), r.choice([1, 2, 3]), name(t.few(r.choice(["int", "text"])))
    direction, rank = r.choice(["ASC", "DESC"]), r.choice(["ROW_NUMBER", "ROW_NUMBER", "RANK", "DENSE_RANK"])
    tie = ", lo" if rank == "ROW_NUMBER" else ""
    def query(engine):
        source = tumbled(t.name, size) if engine else f"TABLE(TUMBLE(TABLE {t.name}, DESCRIPTOR(ts), INTERVAL '{size}' SECOND))"
        return (f"SELECT k AS o0, n AS o1, rn AS o2, window_start AS o3 FROM (SELECT *, {rank}() OVER (PARTITION BY window_start, window_end ORDER BY n {direction}{tie}) AS rn FROM "
                f"(SELECT {k[engine]} AS k, COUNT(*) AS n, MIN(id) AS lo, window_start, window_end FROM {source} GROUP BY {k[engine]}, window_start, window_end) g) q WHERE rn <= {n}")
    return E(query(0), query(1))


@template
def window_rows_top_n(r, tables):
    """Top-N of the rows of a window, without an aggregate below."""
    t = tables[r.choice("tu")]
    size, n, column = r.choice([5, 10]), r.choice([1, 3]), r.choice(t.columns)
    nulls = r.choice(["FIRST", "LAST"])
    def query(engine):
        source = tumbled(t.name, size) if engine else f"TABLE(TUMBLE(TABLE {t.name}, DESCRIPTOR(ts), INTERVAL '{size}' SECOND))"
        c = name(column)[engine]
        return (f"SELECT id AS o0, {c} AS o1, rn AS o2, window_start AS o3 FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end "
                f"ORDER BY {c} DESC NULLS {nulls}, id) AS rn FROM {source}) q WHERE rn <= {n}")
    return E(query(0), query(1))


# ---- joins

def join_condition(r, a, b):
    keys = r.choice([("int", "text"), ("int", "text"), ("id",), ("int", "id")])
    parts = []
    for key in keys:
        if key == "id":
            parts.append(E("a.id = b.id", "a.id = b.id"))
        else:
            parts.append(pair("{x} = {y}", x=name(a.few(key), "a."), y=name(b.few(key), "b.")))
    return pair("{c}", c=E(" AND ".join(p.laminar for p in parts), " AND ".join(p.duckdb for p in parts)))


def join(r, a, b, kinds, extra=0.3, aggregate=False):
    x = Expressions(r, ("a.", a), ("b.", b))
    items = [E("a.id", "a.id"), E("b.id", "b.id")] + [x.column(r.choice(["int", "text", "double", "decimal", "time"])) for _ in range(r.randint(0, 4))]
    on = join_condition(r, a, b)
    if r.random() < extra:
        on = pair("{o} AND {p}", o=on, p=x.bool(1))
    w = where(r, x, 0.2, 1)
    if aggregate:
        k = r.choice([name(a.few("text"), "a."), name(b.few("int"), "b.")])
        return pair("SELECT {k} AS o0, COUNT(*) AS o1, COUNT(b.id) AS o2, SUM(a.id) AS o3, MAX({m}) AS o4 FROM {a} a {kind} {b} b ON {o}{w} GROUP BY {k}",
                    k=k, m=x.column(r.choice(["int", "text"])), a=a.name, b=b.name, kind=r.choice(kinds), o=on, w=w)
    return pair("SELECT {i} FROM {a} a {kind} {b} b ON {o}{w}", i=aliased(items), a=a.name, b=b.name, kind=r.choice(kinds), o=on, w=w)


ANY_KIND = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]


@template
def join_inner(r, tables):
    return join(r, tables["u"], tables["t"], ["JOIN", "INNER JOIN"])


@template
def join_outer(r, tables):
    return join(r, tables["u"], tables["t"], ANY_KIND[1:])


@template
def join_changelogs(r, tables):
    return join(r, tables["c"], tables["d"], ANY_KIND)


@template
def join_rows_with_changelog(r, tables):
    return join(r, tables["u"], tables["c"], ANY_KIND)


@template
def aggregate_of_join(r, tables):
    a, b = r.choice(["cd", "uc", "ut", "dc"])
    return join(r, tables[a], tables[b], ANY_KIND, aggregate=True)


@template
def join_of_aggregates(r, tables):
    a, b = tables[r.choice("tc")], tables[r.choice("ud")]
    kind, key = r.choice(ANY_KIND), r.choice(["int", "text"])
    side = lambda t: pair("(SELECT {k} AS k, COUNT(*) AS n, MAX({m}) AS m FROM {t} GROUP BY {k})", k=name(t.few(key)), m=Expressions(r, ("", t)).column("int"), t=t.name)
    return pair("SELECT a.k AS o0, b.k AS o1, a.n AS o2, b.n AS o3, a.m AS o4, b.m AS o5 FROM {a} a {kind} {b} b ON a.k = b.k{e}",
                a=side(a), b=side(b), kind=kind, e=r.choice(["", " AND a.n > b.n", " AND b.m > 0"]))


@template
def self_join(r, tables):
    """One common table expression used twice."""
    t = tables[r.choice("tc")]
    x = Expressions(r, ("", t))
    return pair("WITH s AS (SELECT {k} AS k, COUNT(*) AS n, MIN(id) AS lo FROM {t}{w} GROUP BY {k}) "
                "SELECT a.k AS o0, b.k AS o1, a.n AS o2 FROM s a {kind} s b ON a.n = b.n AND a.lo < b.lo",
                k=r.choice([name(t.few("int")), x.column("int")]), t=t.name, w=where(r, x, 0.3), kind=r.choice(["JOIN", "LEFT JOIN"]))


@template
def three_way_join(r, tables):
    a, b, c = tables["u"], tables["c"], tables["d"]
    one, two = r.choice(ANY_KIND), r.choice(ANY_KIND[:2])
    return pair("SELECT a.id AS o0, b.id AS o1, c.id AS o2, {x} AS o3 FROM u a {one} c b ON a.id = b.id {two} d c ON b.id = c.id AND {y} = {z}",
                x=name(c.few("text"), "c."), one=one, two=two, y=name(b.few("int"), "b."), z=name(c.few("int"), "c."))


@template
def interval_join(r, tables):
    t, u = tables["t"], tables["u"]
    x = Expressions(r, ("a.", u), ("b.", t))
    low, high = r.randint(0, 10), r.randint(0, 10)
    bound = r.choice([
        f"a.ts BETWEEN b.ts - INTERVAL '{low}' SECOND AND b.ts + INTERVAL '{high}' SECOND",
        f"a.ts >= b.ts AND a.ts <= b.ts + INTERVAL '{high}' SECOND",
        f"b.ts > a.ts - INTERVAL '{low}' SECOND AND b.ts < a.ts",
        f"b.ts BETWEEN a.ts AND a.ts + INTERVAL '{high}' SECOND"])
    key = r.choice(["int", "text"])
    items = [E("a.id", "a.id"), E("b.id", "b.id"), E("a.ts", "a.ts")] + [x.column(r.choice(["int", "text", "double"])) for _ in range(r.randint(0, 3))]
    keys = pair("{p} = {q}", p=name(u.few(key), "a."), q=name(t.few(key), "b."))
    extra = pair(" AND {c}", c=x.bool(1)) if r.random() < 0.3 else ""
    if r.random() < 0.5:
        return pair("SELECT {i} FROM u a JOIN t b ON {k} WHERE {b}{e}", i=aliased(items), k=keys, b=bound, e=extra)
    return pair("SELECT {i} FROM u a JOIN t b ON {k} AND {b}{e}", i=aliased(items), k=keys, b=bound, e=extra)


# ---- ranks and OVER

def top_n(r, t, partition):
    n, o = r.choice([1, 2, 5]), ordering(r, t)
    columns = some(r, t)
    rank = [E("rn", "rn")] if r.random() < 0.5 else []
    inner = [pair("{c}", c=c) for c in columns]
    return pair("SELECT {i} FROM (SELECT {inner}, ROW_NUMBER() OVER ({p}ORDER BY {o}) AS rn FROM {t}) q WHERE rn <= {n}",
                i=inner + rank, inner=inner, p=pair("PARTITION BY {k} ", k=partition) if partition else "", o=o, t=t.name, n=n)


@template
def top_n_updating(r, tables):
    t = tables[r.choice("tu")]
    return top_n(r, t, r.choice([None, name(t.few("int")), [name(t.few("int")), name(t.few("text"))]]))


@template
def top_n_changelog(r, tables):
    t = tables[r.choice("cd")]
    query = top_n(r, t, r.choice([None, name(t.few("int"))]))
    # Under retractions an equal row may have come again later: the tie is broken by id in both.
    return E(query.laminar.replace(") AS rn", ", id) AS rn"), query.duckdb)


@template
def top_groups(r, tables):
    t = tables[r.choice("tc")]
    k, n = name(t.few(r.choice(["int", "text"]))), r.choice([1, 3])
    return pair("SELECT k AS o0, n AS o1{rn} FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY n {d}, k NULLS FIRST) AS rn FROM "
                "(SELECT {k} AS k, COUNT(*) AS n FROM {t} GROUP BY {k}) g) q WHERE rn <= {n}", k=k, t=t.name, n=n, d=r.choice(["ASC", "DESC"]), rn=r.choice(["", ", rn AS o2"]))


@template
def aggregate_of_top_n(r, tables):
    t = tables[r.choice("tc")]
    k = name(t.few("int"))
    return pair("SELECT rn AS o0, COUNT(*) AS o1, SUM(id) AS o2, MAX(x) AS o3 FROM (SELECT id, {c} AS x, ROW_NUMBER() OVER (PARTITION BY {k} ORDER BY {c} DESC NULLS LAST, id) AS rn FROM {t}) q "
                "WHERE rn <= 3 GROUP BY rn", c=name(r.choice(t.columns)), k=k, t=t.name)


@template
def dedup_first(r, tables):
    t = tables[r.choice("tu")]
    columns = some(r, t)
    return pair("SELECT {i} FROM (SELECT {i}, ROW_NUMBER() OVER (PARTITION BY {k} ORDER BY ts{tie}) AS rn FROM {t}) q WHERE rn = 1",
                i=columns, k=r.choice([name(t.few("int")), [name(t.few("int")), name(t.few("text"))]]), t=t.name, tie=E("", ", id"))


@template
def dedup_last(r, tables):
    t = tables["u"]  # times are unique
    columns = some(r, t)
    return pair("SELECT {i} FROM (SELECT {i}, ROW_NUMBER() OVER (PARTITION BY {k} ORDER BY ts DESC) AS rn FROM {t}) q WHERE rn = 1",
                i=columns, k=r.choice([name(t.few("int")), [name(t.few("int")), name(t.few("text"))]]), t=t.name)


@template
def aggregate_of_dedup(r, tables):
    t = tables["u"]
    return pair("SELECT k AS o0, COUNT(*) AS o1, SUM(id) AS o2 FROM (SELECT id, {k} AS k, ROW_NUMBER() OVER (PARTITION BY {p} ORDER BY ts {d}) AS rn FROM u) q WHERE rn = 1 GROUP BY k",
                k=name(t.few("text")), p=name(r.choice(t.columns)), d=r.choice(["ASC", "DESC"]))


def over(r, t, frame, order=", id"):
    x = Expressions(r, ("", t))
    partition = r.choice(["", pair("PARTITION BY {k} ", k=name(t.few("int"))), pair("PARTITION BY {k} ", k=name(t.few("text")))])
    calls = []
    for _ in range(r.randint(1, 3)):
        family = r.choice(["int", "double", "decimal"])
        calls.append(pair("{f}({a}) OVER ({p}ORDER BY ts{o} {frame})", f=r.choice(["SUM", "MIN", "MAX", "COUNT"] + ["AVG"] * (family != "decimal")), a=x.column(family), p=partition,
                          o=E("", order), frame=frame))
    return pair("SELECT {i} FROM {t}{w}", i=aliased([E("id", "id"), E("ts", "ts")] + calls), t=t.name, w=where(r, x, 0.2))


@template
def over_rows(r, tables):
    return over(r, tables[r.choice("tu")], f"ROWS BETWEEN {r.choice([0, 1, 3, 10])} PRECEDING AND CURRENT ROW")


@template
def over_range(r, tables):
    return over(r, tables[r.choice("tu")], f"RANGE BETWEEN INTERVAL '{r.choice([1, 5, 30])}' SECOND PRECEDING AND CURRENT ROW", order="")


@template
def over_running(r, tables):
    return over(r, tables["u"], r.choice(["ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", ""]), order="")


@template
def over_lag(r, tables):
    t = tables["u"]
    x = Expressions(r, ("", t))
    call = pair("LAG({a}, {n}) OVER (PARTITION BY {k} ORDER BY ts)", a=x.column(r.choice(["int", "text", "time"])), n=r.choice([1, 2]), k=name(t.few("int")))
    return pair("SELECT {i} FROM u", i=aliased([E("id", "id"), call]))


@template
def row_number_by_time(r, tables):
    """Numbers without a limit, in the order of the row time."""
    t = tables["u"]
    return pair("SELECT id, ROW_NUMBER() OVER (PARTITION BY {k} ORDER BY ts) AS o1 FROM u", k=name(t.few("text")))


@template
def over_per_window(r, tables):
    """Window functions within each tumbling window: totals without an order, ranks with one."""
    t = tables[r.choice("tu")]
    size, k, x = r.choice([5, 10]), name(t.few(r.choice(["int", "text"]))), Expressions(r, ("", t))
    a = x.column(r.choice(["int", "double"]))
    partition = r.choice(["window_start, window_end", pair("window_start, window_end, {k}", k=k)])
    call = r.choice([pair("SUM({a}) OVER (PARTITION BY {p})", a=a, p=partition), pair("COUNT(*) OVER (PARTITION BY {p})", p=partition),
                     pair("{f}() OVER (PARTITION BY {p} ORDER BY {a} NULLS LAST{i})", f="ROW_NUMBER", p=partition, a=a, i=", id"),
                     pair("{f}() OVER (PARTITION BY {p} ORDER BY {a} DESC NULLS LAST)", f=r.choice(["RANK", "DENSE_RANK"]), p=partition, a=a)])
    def query(engine):
        source = tumbled(t.name, size) if engine else f"TABLE(TUMBLE(TABLE {t.name}, DESCRIPTOR(ts), INTERVAL '{size}' SECOND))"
        return f"SELECT id AS o0, window_start AS o1, {call[engine]} AS o2 FROM {source}"
    return E(query(0), query(1))


@template
def over_several(r, tables):
    """Two different partitions and frames in one SELECT."""
    t = tables["u"]
    x = Expressions(r, ("", t))
    calls = [pair("{f}({a}) OVER (PARTITION BY {k} ORDER BY ts {frame})", f=r.choice(["SUM", "MAX", "COUNT", "FIRST_VALUE", "LAST_VALUE"]), a=x.column("int"), k=k,
                  frame=r.choice(["ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", "RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW"]))
             for k in (name(t.few("int")), name(t.few("text")))]
    return pair("SELECT {i} FROM u{w}", i=aliased([E("id", "id")] + calls), w=where(r, x, 0.3))


@template
def tumble_of_union(r, tables):
    t, u = tables["t"], tables["u"]
    size, family = r.choice([5, 20]), r.choice(["int", "text"])
    kt, ku = name(t.few(family)), name(u.few(family))
    laminar = (f"SELECT k AS o0, COUNT(*) AS o1, SUM(id) AS o2, TUMBLE_START(ts, INTERVAL '{size}' SECOND) AS o3 FROM "
               f"(SELECT id, ts, {kt.laminar} AS k FROM t UNION ALL SELECT id, ts, {ku.laminar} AS k FROM u) s GROUP BY k, TUMBLE(ts, INTERVAL '{size}' SECOND)")
    if r.random() < 0.5:
        laminar = laminar.replace("TUMBLE_START(ts, ", "TUMBLE(").replace("TUMBLE(ts, ", "TUMBLE(").replace(") AS o3", ") AS w, w.start AS o3")
        laminar = f"SELECT o0, o1, o2, o3 FROM ({laminar}) q"
    duck = (f"SELECT k, COUNT(*), SUM(id), window_start FROM (WITH s AS (SELECT id, ts, {kt.duckdb} AS k FROM t UNION ALL SELECT id, ts, {ku.duckdb} AS k FROM u) "
            f"SELECT * FROM {tumbled('s', size)}) GROUP BY k, window_start")
    return E(laminar, duck)


@template
def tumble_of_dedup(r, tables):
    t = tables["u"]
    size, k, p = r.choice([5, 20]), name(t.few("text")), name(r.choice(t.columns))
    inner = [f"(SELECT id, ts, {k[e]} AS k, ROW_NUMBER() OVER (PARTITION BY {p[e]} ORDER BY ts) AS rn FROM u)" for e in (0, 1)]
    laminar = f"SELECT k AS o0, COUNT(*) AS o1, TUMBLE_START(ts, INTERVAL '{size}' SECOND) AS o2 FROM {inner[0]} q WHERE rn = 1 GROUP BY k, TUMBLE(ts, INTERVAL '{size}' SECOND)"
    return E(laminar, f"SELECT k, COUNT(*), window_start FROM {tumbled(inner[1], size, ' q WHERE rn = 1')} GROUP BY k, window_start")


@template
def tumble_of_interval_join(r, tables):
    """The row time of a joined row is the later of the two."""
    t, u = tables["t"], tables["u"]
    size, seconds, key = r.choice([5, 20]), r.randint(1, 10), r.choice(["int", "text"])
    kt, ku = name(t.few(key), "b."), name(u.few(key), "a.")
    on = [f"{ku[e]} = {kt[e]} AND a.ts BETWEEN b.ts - INTERVAL '{seconds}' SECOND AND b.ts + INTERVAL '{seconds}' SECOND" for e in (0, 1)]
    laminar = f"SELECT w.start AS o0, n AS o1, s AS o2 FROM (SELECT TUMBLE(INTERVAL '{size}' SECOND) AS w, COUNT(*) AS n, SUM(a.id + b.id) AS s FROM u a JOIN t b ON {on[0]} GROUP BY w) q"
    pairs = f"(SELECT a.id AS x, b.id AS y, GREATEST(a.ts, b.ts) AS ts FROM u a JOIN t b ON {on[1]})"
    return E(laminar, f"SELECT window_start, COUNT(*), SUM(x + y) FROM {tumbled(pairs, size)} GROUP BY window_start")


@template
def cumulate(r, tables):
    t = tables[r.choice("tu")]
    step, size = r.choice([(2, 10), (5, 20)])
    k = name(t.few("int"))
    start = floor_to("epoch_us(ts)", size * 1_000_000)
    duck = (f"SELECT {k.duckdb} AS o0, COUNT(*), SUM(id), make_timestamp(s), make_timestamp(s + n * {step * 1_000_000}) FROM "
            f"(SELECT *, {start} AS s FROM {t.name}) w, range(1, {size // step + 1}) steps(n) WHERE epoch_us(ts) < s + n * {step * 1_000_000} GROUP BY ALL")
    laminar = (f"SELECT {k.laminar} AS o0, COUNT(*) AS o1, SUM(id) AS o2, window_start, window_end FROM TABLE(CUMULATE(TABLE {t.name}, DESCRIPTOR(ts), INTERVAL '{step}' SECOND, "
               f"INTERVAL '{size}' SECOND)) GROUP BY {k.laminar}, window_start, window_end")
    return E(laminar, duck)


@template
def window_having(r, tables):
    """HAVING, and statistics that need all values."""
    t = tables[r.choice("tu")]
    x, size = Expressions(r, ("", t)), r.choice([5, 20])
    item = r.choice([pair("PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY {c})", c=x.column("double")), pair("MEDIAN({c})", c=x.column("double")),
                     pair("BIT_XOR({c})", c=x.column("int")), pair("COVAR_POP({a}, {b})", a=x.column("double"), b=x.column("int"))])
    def query(engine):
        source = tumbled(t.name, size) if engine else f"TABLE(TUMBLE(TABLE {t.name}, DESCRIPTOR(ts), INTERVAL '{size}' SECOND))"
        return f"SELECT window_start AS o0, COUNT(*) AS o1, {item[engine]} AS o2 FROM {source} GROUP BY window_start, window_end HAVING COUNT(*) > 3"
    return E(query(0), query(1))


@template
def view_twice(r, tables):
    """A view that two branches read."""
    t = tables[r.choice("tc")]
    x = Expressions(r, ("", t))
    k, w = name(t.few("text")), where(r, x, 0.5)
    body = pair("SELECT id, {k} AS k, {e} AS e FROM {t}{w}", k=k, e=x.int(2), t=t.name, w=w)
    tail = "SELECT k AS o0, COUNT(*) AS o1, SUM(e) AS o2 FROM v GROUP BY k UNION ALL SELECT k, CAST(-1 AS BIGINT), MAX(e) FROM v WHERE e > 0 GROUP BY k"
    return E(f"CREATE VIEW v AS {body.laminar};\n{tail}", f"WITH v AS ({body.duckdb}) {tail}")


@template
def comma_join(r, tables):
    a, b = tables[r.choice("uc")], tables[r.choice("td")]
    x = Expressions(r, ("a.", a), ("b.", b))
    return pair("SELECT a.id AS o0, b.id AS o1, {e} AS o2 FROM {a} a, {b} b WHERE {o} AND {c}", e=x.any(1), a=a.name, b=b.name, o=join_condition(r, a, b), c=x.bool(1))


@template
def join_subqueries(r, tables):
    """Expressions as join keys, and filters on both sides."""
    a, b = tables[r.choice("uc")], tables[r.choice("td")]
    xa, xb = Expressions(r, ("", a)), Expressions(r, ("", b))
    family = r.choice(["int", "text", "date"])
    return pair("SELECT a.id AS o0, b.id AS o1, a.k AS o2, b.k AS o3 FROM (SELECT id, {ka} AS k FROM {ta}{wa}) a {kind} (SELECT id, {kb} AS k FROM {tb}{wb}) b ON a.k = b.k AND a.id % 10 = b.id % 10",
                ka=xa.draw(family, 1), kb=xb.draw(family, 1), ta=a.name, tb=b.name, wa=where(r, xa), wb=where(r, xb), kind=r.choice(ANY_KIND))


@template
def join_mixed_keys(r, tables):
    """Keys of different types: SMALLINT with DECIMAL or DOUBLE or BIGINT."""
    a, b = tables["u"], tables["d"]
    xa, xb = Expressions(r, ("a.", a)), Expressions(r, ("b.", b))
    return pair("SELECT a.id AS o0, b.id AS o1 FROM u a {kind} d b ON {x} = {y}", x=xa.column("int"), y=xb.column(r.choice(["decimal", "double", "int"])), kind=r.choice(ANY_KIND))


@template
def top_n_of_join(r, tables):
    a, b = tables[r.choice("uc")], tables["d"]
    k, v = name(a.few("int"), "a."), name(b.few("int"), "b.")
    return pair("SELECT o0, o1, o2 FROM (SELECT {k} AS o0, a.id AS o1, b.id AS o2, ROW_NUMBER() OVER (PARTITION BY {k} ORDER BY {v} {d} NULLS LAST, a.id, b.id) AS rn "
                "FROM {a} a {kind} d b ON a.id = b.id) q WHERE rn <= 2", k=k, v=v, d=r.choice(["ASC", "DESC"]), a=a.name, kind=r.choice(ANY_KIND[:2]))


@template
def distinct_of_changelog_aggregate(r, tables):
    t = tables[r.choice("cd")]
    x = Expressions(r, ("", t))
    return pair("SELECT COUNT(DISTINCT n) AS o0, MAX(n) AS o1, MIN(k) AS o2, SUM(DISTINCT s) AS o3 FROM (SELECT {k} AS k, COUNT(*) AS n, SUM({a}) AS s FROM {t}{w} GROUP BY {k}) q HAVING COUNT(*) > 0",
                k=name(t.few(r.choice(["int", "text"]))), a=x.column("int"), t=t.name, w=where(r, x, 0.4))


@template
def union_all_then_aggregate(r, tables):
    """Rows and changes in one group."""
    a, b = tables["t"], tables["c"]
    family = r.choice(["int", "text"])
    return pair("SELECT k AS o0, COUNT(*) AS o1, COUNT(DISTINCT id) AS o2, MIN(id) AS o3 FROM (SELECT {x} AS k, id FROM t UNION ALL SELECT {y} AS k, id FROM c) s GROUP BY k",
                x=name(a.few(family)), y=name(b.few(family)))


# ---- two jobs, one reading what the other wrote: JOB_END ends the first, FOLDER is the round's

JOB_END = "\n-- next job\n"


def file_table(table, columns, format_, type_):
    return f"CREATE TABLE {table} {columns}WITH (connector = 'single_file', path = 'FOLDER/out.{format_}', format = '{format_}', type = '{type_}');\n"


@template
def changelog_through_file(r, tables):
    """An updating aggregate goes through a debezium file into the aggregate of another job."""
    t = tables[r.choice("tucd")]
    x = Expressions(r, ("", t))
    first = pair("SELECT COALESCE({k}, 99) AS k, COUNT(*) AS n, SUM({a}) AS s, MAX({m}) AS m, AVG({x}) AS x, SUM({d}) AS d FROM {t}{w} GROUP BY COALESCE({k}, 99)",
                 k=name(t.few("int")), a=x.column("int"), m=x.column("text"), x=x.column("double"), d=pair("CAST({c} AS DECIMAL(20,5))", c=x.column("decimal")), t=t.name, w=where(r, x, 0.3))
    second = r.choice(["SELECT n AS o0, COUNT(*) AS o1, SUM(s) AS o2, MIN(m) AS o3, MAX(x) AS o4, SUM(d) AS o5 FROM mid GROUP BY n",
                       "SELECT k AS o0, n AS o1, s AS o2, m AS o3, x AS o4, d AS o5 FROM mid"])
    laminar = (file_table("out", "", "debezium_json", "sink") + f"INSERT INTO out {first.laminar};{JOB_END}"
               + file_table("mid", "(k BIGINT PRIMARY KEY, n BIGINT, s BIGINT, m TEXT, x DOUBLE, d DECIMAL(38,5)) ", "debezium_json", "source") + second)
    return E(laminar, f"WITH mid AS ({first.duckdb}) {second}")


@template
def rows_through_file(r, tables):
    """Every type through the encoder and back, as JSON and CSV."""
    t = tables[r.choice("tu")]
    x = Expressions(r, ("", t))
    format_ = r.choice(["json", "csv"])
    # An empty string and NULL look alike in CSV.
    text = pair("('<' || {c})", c=x.column("text")) if format_ == "csv" else x.column("text")
    items = [pair("{e} AS {n}", e=e, n=n) for n, e in (("id", E("id", "id")), ("i", x.column("int", big=True)), ("s", text), ("x", x.column("double")), ("b", x.column("bool")),
             ("d", pair("CAST({c} AS DECIMAL(20,5))", c=x.column("decimal"))), ("day", x.column("date")), ("at", x.column("time")))]
    select = pair("SELECT {i} FROM {t}{w}", i=items, t=t.name, w=where(r, x, 0.3))
    laminar = (file_table("out", "", format_, "sink") + f"INSERT INTO out {select.laminar};{JOB_END}"
               + file_table("mid", "(id BIGINT, i BIGINT, s TEXT, x DOUBLE, b BOOLEAN, d DECIMAL(20,5), day DATE, at TIMESTAMP) ", format_, "source") + "SELECT * FROM mid")
    return E(laminar, select.duckdb)
