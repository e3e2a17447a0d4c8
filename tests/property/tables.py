"""Random tables: NDJSON files of rows or of debezium changes, declared to Laminar and loaded into DuckDB."""
import datetime, json, os
from decimal import Decimal

# Words that the dialect must take unquoted as column names.
NAMES = ["a1", "value", "user", "level", "count", "message", "status", "text", "offset", "rows", "month", "name", "plan", "topic", "min", "hour",
         "key", "data", "type", "state", "location", "first", "partition", "row_number", "Mixed", "snake_case", "zz9"]
TEXTS = ["alpha", "Beta", "gamma", "", " pad ", "x,y", "it's", "日本", "äÖ é", "a_b%c", "tab\there", "quote\"d", "back\\slash", "zz", "42", "😀"]
BASES = [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 28, 23, 59, 30), datetime.datetime(1969, 12, 31, 23, 59, 40)]
DELAY_MS = 5000
FAMILY = {"INT": "int", "SMALLINT": "int", "BIGINT": "int", "DOUBLE": "double", "TEXT": "text", "BOOLEAN": "bool", "DATE": "date", "TIMESTAMP": "time"}


class Column:
    def __init__(self, name, type_, nulls, draw, big=False):
        self.name, self.type, self.nulls, self.draw, self.big = name, type_, nulls, draw, big
        self.family = FAMILY.get(type_, "decimal")

    def value(self, rng):
        return None if rng.random() < self.nulls else self.draw(rng)


def random_column(rng, name, type_, few=False):
    nulls = rng.choice([0, 0, 0.1, 0.4])
    big = type_ == "BIGINT" and rng.random() < 0.5
    if type_ in ("INT", "BIGINT"):
        span = (1 << 55) if big else 3 if few else 50
        draw = lambda r: r.randint(-span, span)
    elif type_ == "SMALLINT":
        draw = lambda r: r.randint(-20, 20)
    elif type_ == "DOUBLE":  # quarters, so that sums are exact in any order
        draw = lambda r: r.choice([r.randint(-400, 400) / 4, -0.0, 0.0, 1.25])
    elif type_.startswith("DECIMAL"):
        scale = int(type_.split(",")[1][:-1])
        draw = lambda r: Decimal(r.randint(-99999, 99999)).scaleb(-scale)
    elif type_ == "TEXT":
        pool = rng.sample(TEXTS, 4 if few else 12)
        draw = lambda r: r.choice(pool)
    elif type_ == "BOOLEAN":
        draw = lambda r: r.random() < 0.5
    elif type_ == "DATE":
        draw = lambda r: datetime.date(1960, 1, 1) + datetime.timedelta(days=r.randint(0, 25000))
    else:
        draw = lambda r: datetime.datetime(1960, 1, 1) + datetime.timedelta(microseconds=r.randint(0, 2_000_000_000_000_000))
    return Column(name, type_, nulls, draw, big)


def random_columns(rng):
    """One low-cardinality INT and TEXT each for keys, one column of each family, and some more."""
    types = ["INT", "TEXT", "SMALLINT", "DOUBLE", rng.choice(["DECIMAL(10,2)", "DECIMAL(20,5)", "DECIMAL(12,0)"]), "TEXT", "BOOLEAN", "DATE", "TIMESTAMP"]
    types += rng.choices(["INT", "BIGINT", "BIGINT", "DOUBLE", "TEXT", "DECIMAL(10,2)"], k=rng.randint(0, 3))
    names = rng.sample(NAMES, len(types))
    return [random_column(rng, n, t, few=i < 2) for i, (n, t) in enumerate(zip(names, types))]


def encode(value):
    if isinstance(value, datetime.datetime):
        return json.dumps(value.isoformat(sep=" ", timespec="microseconds"))
    if isinstance(value, datetime.date):
        return json.dumps(value.isoformat())
    if isinstance(value, Decimal):
        return str(value) if abs(value.as_tuple().exponent) < 20 and "E" not in str(value) else format(value, "f")
    return json.dumps(value, ensure_ascii=False)


def encode_row(row):
    return "null" if row is None else "{" + ",".join(f"{json.dumps(k)}:{encode(v)}" for k, v in row.items()) + "}"


class Table:
    """`id` numbers the rows in arrival order; `ts` is the event time, out of order within the watermark's delay. A changelog table has
    `id` as its primary key and neither row time nor order."""

    def __init__(self, rng, folder, name, size, changelog=False, unique_times=False):
        self.name, self.changelog = name, changelog
        self.path = os.path.join(folder, name + ".ndjson")
        self.final_path = os.path.join(folder, name + ".final.ndjson")
        self.columns = random_columns(rng)
        if changelog:
            lines, final = self.changes(rng, size)
            self.write(self.path, lines)
        else:
            final = [encode_row(row) for row in self.rows(rng, size, unique_times)]
        self.write(self.final_path if changelog else self.path, final)

    @staticmethod
    def write(path, lines):
        with open(path, "w") as f:
            f.writelines(line + "\n" for line in lines)

    def few(self, family):
        """The low-cardinality column of family int or text."""
        return self.columns[0 if family == "int" else 1]

    def rows(self, rng, size, unique_times):
        base, clock, used = rng.choice(BASES), 0, set()
        pace = rng.choice([50, 300, 1500])
        for i in range(size):
            clock += rng.randint(0, pace) + (30_000 if rng.random() < 0.02 else 0)
            ms = clock - rng.choice([0, rng.randint(0, DELAY_MS - 1)])
            while unique_times and ms in used:
                clock += 1
                ms += 1
            used.add(ms)
            yield {"id": i, "ts": base + datetime.timedelta(milliseconds=ms), **{c.name: c.value(rng) for c in self.columns}}

    def changes(self, rng, size):
        live, lines, next_id = {}, [], 0
        for _ in range(size):
            op = rng.random()
            if op < 0.5 or not live:
                row = {"id": next_id, **{c.name: c.value(rng) for c in self.columns}}
                live[next_id] = row
                next_id += 1
                lines.append(f'{{"before":null,"after":{encode_row(row)},"op":"{rng.choice("cr")}"}}')
                continue
            key = rng.choice(list(live))
            old = live.pop(key)
            if op < 0.8:  # an update of some columns; now and then of none
                row = dict(old)
                for c in rng.sample(self.columns, rng.randint(0, len(self.columns))):
                    row[c.name] = c.value(rng)
                live[key] = row
                lines.append(f'{{"before":{encode_row(old)},"after":{encode_row(row)},"op":"u"}}')
            else:
                lines.append(f'{{"before":{encode_row(old)},"after":null,"op":"d"}}')
                if rng.random() < 0.2:  # the key comes back
                    live[key] = old
                    lines.append(f'{{"before":null,"after":{encode_row(old)},"op":"c"}}')
        return lines, [encode_row(row) for row in live.values()]

    def laminar_ddl(self, suffix=""):
        columns = "".join(f", {c.name} {c.type}" for c in self.columns)
        if self.changelog:
            return (f"CREATE TABLE {self.name} (id BIGINT PRIMARY KEY{columns})\n"
                    f"WITH (connector = 'single_file', path = '{self.path}{suffix}', format = 'debezium_json', type = 'source');\n")
        return (f"CREATE TABLE {self.name} (id BIGINT, ts TIMESTAMP{columns}, WATERMARK FOR ts AS ts - INTERVAL '{DELAY_MS // 1000}' SECOND)\n"
                f"WITH (connector = 'single_file', path = '{self.path}{suffix}', format = 'json', type = 'source');\n")

    def load(self, duck):
        types = {"id": "BIGINT"} if self.changelog else {"id": "BIGINT", "ts": "TIMESTAMP"}
        types.update((c.name, c.type) for c in self.columns)
        columns = ", ".join(f"'{n}': '{t}'" for n, t in types.items())
        path = self.final_path if self.changelog else self.path
        select = ", ".join(f'"{n}"' for n in types)
        duck.execute(f"CREATE OR REPLACE TABLE {self.name} AS SELECT {select} FROM read_json('{path}', format='newline_delimited', columns={{{columns}}})")
