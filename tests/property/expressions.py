"""Random expressions, each as a pair of texts: Laminar's and DuckDB's."""
import collections

E = collections.namedtuple("E", "laminar duckdb")


def pair(template, **parts):
    """The template filled in for both engines; parts are E, lists of E (joined by commas), or plain text."""
    def text(part, side):
        if isinstance(part, E):
            return part[side]
        return ", ".join(text(p, side) for p in part) if isinstance(part, list) else str(part)
    return E(*(template.format(**{k: text(v, side) for k, v in parts.items()}) for side in (0, 1)))


def name(column, prefix=""):
    return E(prefix + column.name, f'{prefix}"{column.name}"')


class Expressions:
    """Draws expressions over the columns of some relations: a list of (prefix, table)."""

    def __init__(self, rng, *relations):
        self.rng = rng
        self.columns = [(p, c) for p, t in relations for c in t.columns]
        self.times = [E(p + "ts", p + "ts") for p, t in relations if not t.changelog]

    def column(self, family, big=False):
        choices = [(p, c) for p, c in self.columns if c.family == family and (big or not c.big)]
        prefix, column = self.rng.choice(choices)
        return name(column, prefix)

    def draw(self, family, depth=2):
        return getattr(self, family)(depth)

    def any(self, depth=2):
        return self.draw(self.rng.choice(["int", "double", "decimal", "text", "bool", "time", "date"]), depth)

    def pick(self, depth, leaves, deeper):
        maker = self.rng.choice(leaves if depth <= 0 or self.rng.random() < 0.2 else deeper)
        return maker()

    def conditional(self, family, d):
        form = self.rng.randrange(3)
        a, b = self.draw(family, d), self.draw(family, d)
        if form == 0:
            return pair("CASE WHEN {c} THEN {a} ELSE {b} END", c=self.bool(d), a=a, b=b)
        if form == 1:
            return pair("CASE WHEN {c} THEN {a} END", c=self.bool(d), a=a)
        return pair("COALESCE({a}, {b})", a=a, b=b)

    def int(self, depth=2):
        r, d = self.rng, depth - 1
        number = lambda: E(*[str(r.randint(-20, 20))] * 2)
        leaves = [lambda: self.column("int"), lambda: self.column("int"), number]
        return self.pick(depth, leaves, [
            lambda: pair("({a} {op} {b})", a=self.int(d), b=self.int(d), op=r.choice("+-")),
            lambda: pair("({a} * {n})", a=self.int(d), n=r.choice([-2, 2, 3])),
            lambda: self.divide(self.int(d), r.choice([2, 3, 7, -3])),
            lambda: pair("({a} % {n})", a=self.int(d), n=r.choice([2, 5, 7])),
            lambda: pair("MOD({a}, {n})", a=self.int(d), n=r.choice([3, 4])),
            lambda: pair("ABS({a})", a=self.int(d)),
            lambda: pair("-({a})", a=self.int(d)),
            lambda: pair("LENGTH({a})", a=self.text(d)),
            lambda: pair("STRPOS({a}, '{c}')", a=self.text(d), c=r.choice("aeb2")),
            lambda: pair("CAST({a} AS BIGINT)", a=self.int(d)),
            lambda: pair("CAST(TRUNC({a}) AS BIGINT)", a=self.double(d)),
            lambda: pair("CAST({a} AS INT)", a=self.bool(d)),
            lambda: pair("EXTRACT({f} FROM {t})", f=r.choice("YEAR QUARTER MONTH WEEK DAY HOUR MINUTE DOW ISODOW DOY".split()), t=self.time(d)),
            lambda: pair("DATE_PART('{f}', {t})", f=r.choice("year month day".split()), t=self.date(d)),
            lambda: pair("{f}({a}, {b})", f=r.choice(["GREATEST", "LEAST"]), a=self.int(d), b=self.int(d)),
            lambda: pair("NULLIF({a}, {n})", a=self.int(d), n=r.randint(-3, 3)),
            lambda: self.conditional("int", d),
            lambda: self.conditional("int", d),
        ])

    def divide(self, a, n):
        # DuckDB's // floors, the dialect truncates towards zero.
        return E(f"({a.laminar} / {n})", f"CAST(TRUNC(({a.duckdb})::DOUBLE / ({n})) AS BIGINT)")

    def double(self, depth=2):
        r, d = self.rng, depth - 1
        number = lambda: E(*[f"CAST({r.randint(-40, 40) / 4} AS DOUBLE)"] * 2)
        return self.pick(depth, [lambda: self.column("double"), lambda: self.column("double"), number], [
            lambda: pair("({a} {op} {b})", a=self.double(d), b=self.double(d), op=r.choice("+-")),
            lambda: pair("({a} + {b})", a=self.double(d), b=self.int(d)),
            lambda: pair("({a} * {n})", a=self.double(d), n=r.choice([2, 4, -1])),
            lambda: pair("({a} / {n})", a=self.double(d), n=r.choice([2, 4])),
            lambda: pair("{f}({a})", f=r.choice("ABS FLOOR CEIL ROUND TRUNC SIGN".split()), a=self.double(d)),
            lambda: pair("ROUND({a}, 1)", a=self.double(d)),
            lambda: pair("SQRT(ABS({a}))", a=self.double(d)),
            lambda: pair("POWER({a}, 2)", a=self.double(d)),
            lambda: pair("CAST({a} AS DOUBLE)", a=self.draw(r.choice(["int", "decimal"]), d)),
            lambda: pair("{f}({a}, {b})", f=r.choice(["GREATEST", "LEAST"]), a=self.double(d), b=self.double(d)),
            lambda: self.conditional("double", d),
        ])

    def decimal(self, depth=2):
        r, d = self.rng, depth - 1
        leaf = lambda: self.column("decimal")
        return self.pick(depth, [leaf], [
            lambda: pair("({a} {op} {b})", a=self.decimal(d), b=self.decimal(d), op=r.choice("+-")),
            lambda: pair("({a} * {n})", a=leaf(), n=r.choice([2, 3, -1])),
            lambda: pair("({a} + {b})", a=leaf(), b=self.int(d)),
            lambda: pair("ABS({a})", a=self.decimal(d)),
            lambda: pair("CAST({a} AS DECIMAL(16,3))", a=self.int(d)),
            lambda: pair("CAST({a} AS DECIMAL(14,1))", a=leaf()),
            lambda: pair("NULLIF({a}, {b})", a=leaf(), b=leaf()),
            lambda: self.conditional("decimal", d),
        ])

    def text(self, depth=2):
        r, d = self.rng, depth - 1
        literal = lambda: E(*[r.choice(["'lit'", "'A'", "''", "'it''s'", "'日'"])] * 2)
        return self.pick(depth, [lambda: self.column("text"), lambda: self.column("text"), lambda: self.column("text"), literal], [
            lambda: pair("{f}({a})", f=r.choice(["UPPER", "LOWER", "TRIM", "LTRIM", "RTRIM", "REVERSE"]), a=self.text(d)),
            lambda: pair("({a} || {b})", a=self.text(d), b=self.text(d)),
            lambda: pair("CONCAT({a}, {b})", a=self.text(d), b=self.text(d)),
            lambda: pair("CONCAT_WS('-', {a}, {b}, 'x')", a=self.text(d), b=self.text(d)),
            lambda: pair("SUBSTRING({a}, {i}, {n})", a=self.text(d), i=r.randint(1, 4), n=r.randint(0, 5)),
            lambda: pair("SUBSTR({a}, {i})", a=self.text(d), i=r.randint(1, 4)),
            lambda: pair("REPLACE({a}, '{x}', '{y}')", a=self.text(d), x=r.choice("aem"), y=r.choice(["", "Q", "日"])),
            lambda: pair("{f}({a}, {n})", f=r.choice(["LEFT", "RIGHT", "REPEAT"]), a=self.text(d), n=r.randint(0, 3)),
            lambda: pair("{f}({a}, {n}, '*')", f=r.choice(["LPAD", "RPAD"]), a=self.text(d), n=r.randint(0, 6)),
            lambda: pair("SPLIT_PART({a}, '{c}', {n})", a=self.text(d), c=r.choice(",a_"), n=r.randint(1, 3)),
            lambda: pair("CAST({a} AS TEXT)", a=self.draw(r.choice(["int", "bool", "date"]), d)),
            lambda: pair("NULLIF({a}, {b})", a=self.text(d), b=literal()),
            lambda: pair("MD5({a})", a=self.text(d)),
            lambda: self.conditional("text", d),
            lambda: self.conditional("text", d),
        ])

    def bool(self, depth=2):
        r, d = self.rng, depth - 1
        family = lambda: r.choice(["int", "double", "decimal", "text", "time", "date"])
        def comparison():
            f = family()
            return pair("({a} {op} {b})", a=self.draw(f, d), b=self.draw(f, d), op=r.choice(["=", "<>", "<", "<=", ">", ">="]))
        def distinct():
            f = family()
            return pair("({a} IS {no}DISTINCT FROM {b})", a=self.draw(f, d), b=self.draw(f, d), no=r.choice(["", "NOT "]))
        leaves = [lambda: self.column("bool"),
                  lambda: pair("({a} {op} {n})", a=self.column("int", big=True), op=r.choice(["<", ">=", "=", "<>"]), n=r.randint(-9, 9)),
                  lambda: pair("{a} IS {no}NULL", a=self.column(family()), no=r.choice(["", "NOT "]))]
        return self.pick(depth, leaves, [
            comparison, comparison, comparison, distinct,
            lambda: pair("({a} AND {b})", a=self.bool(d), b=self.bool(d)),
            lambda: pair("({a} OR {b})", a=self.bool(d), b=self.bool(d)),
            lambda: pair("(NOT {a})", a=self.bool(d)),
            lambda: pair("({a} {no}IN ({x}, {y}, {z}))", a=self.int(d), x=r.randint(-5, 5), y=r.randint(-5, 5), z=r.choice(["7", "NULL"]), no=r.choice(["", "NOT "])),
            lambda: pair("({a} IN ('alpha', 'Beta', '日本'))", a=self.text(d)),
            lambda: pair("({a} {no}BETWEEN {x} AND {y})", a=self.int(d), x=r.randint(-9, 0), y=r.randint(0, 9), no=r.choice(["", "NOT "])),
            lambda: pair("({a} {no}{op} '{p}')", a=self.text(d), no=r.choice(["", "NOT "]), op=r.choice(["LIKE", "ILIKE"]), p=r.choice(["a%", "%a%", "_eta", "%", "", "日_", "%''%"])),
            lambda: pair("STARTS_WITH({a}, '{p}')", a=self.text(d), p=r.choice(["a", "B", ""])),
            lambda: pair("({a} IS {no}{v})", a=self.bool(d), no=r.choice(["", "NOT "]), v=r.choice(["TRUE", "FALSE", "NULL"])),
            lambda: self.conditional("bool", d),
        ])

    def time(self, depth=2):
        r, d = self.rng, depth - 1
        leaves = [lambda: self.column("time")] + [lambda t=t: t for t in self.times]
        return self.pick(depth, leaves, [
            lambda: pair("({a} {op} INTERVAL '{n}' {u})", a=self.time(d), op=r.choice("+-"), n=r.randint(1, 40), u=r.choice(["SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"])),
            lambda: pair("DATE_TRUNC('{u}', {a})", u=r.choice("second minute hour day week month quarter year".split()), a=self.time(d)),
            lambda: pair("CAST({a} AS TIMESTAMP)", a=self.date(d)),
            lambda: pair("{f}({a}, {b})", f=r.choice(["GREATEST", "LEAST"]), a=self.time(d), b=self.time(d)),
            lambda: self.conditional("time", d),
        ])

    def date(self, depth=2):
        d = depth - 1
        return self.pick(depth, [lambda: self.column("date")], [
            lambda: pair("CAST({a} AS DATE)", a=self.time(d)),
            lambda: self.conditional("date", d),
            lambda: self.column("date"),
        ])

    def aggregate(self, ordered_by=None):
        """One aggregate call, with DISTINCT and FILTER at random. `ordered_by` (an E) allows those whose result depends on order."""
        r = self.rng
        family = r.choice(["int", "int", "double", "decimal", "text", "bool", "time", "date"])
        argument = self.column(family, big=True) if r.random() < 0.6 else self.draw(family, 1)
        names = ["COUNT", "MIN", "MAX"] if family != "bool" else ["COUNT", "BOOL_AND", "BOOL_OR"]
        if family in ("int", "double", "decimal"):
            names += ["SUM", "SUM"]
        if family in ("int", "double"):
            names += ["AVG", "AVG"]
        function = r.choice(names)
        filters = pair(" FILTER (WHERE {c})", c=self.bool(1)) if r.random() < 0.25 else ""
        special = r.random()
        if special < 0.12:
            return pair("COUNT(*){f}", f=filters)
        if special < 0.2:
            return pair("{g}({a}){f}", g=r.choice(["STDDEV", "STDDEV_POP", "VAR_SAMP", "VAR_POP"]), a=self.column(r.choice(["int", "double"])), f=filters)
        if special < 0.26 and ordered_by:
            return pair("{g}({a} ORDER BY {o}){f}", g=r.choice([E("ARRAY_AGG", "ARRAY_AGG"), E("FIRST_VALUE", "FIRST"), E("LAST_VALUE", "LAST")]), a=self.column(r.choice(["int", "text"])), o=ordered_by, f=filters)
        distinct = "DISTINCT " if r.random() < 0.3 and function in ("COUNT", "SUM", "AVG", "MIN") else ""
        return pair("{g}({d}{a}){f}", g=function, d=distinct, a=argument, f=filters)
