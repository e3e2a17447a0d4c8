"""Runs a script with Laminar, adds up its changes, and compares the rows with DuckDB's batch answer."""
import base64, collections, datetime, json, math, os, re, subprocess, tempfile, threading, time
from decimal import Decimal

EPOCH = datetime.datetime(1970, 1, 1)


class LaminarError(Exception):
    pass


class Mismatch(Exception):
    pass


def unfinished(error):
    """The reason if the error says that an operator does not exist yet, else None."""
    match = re.search(r"\w+ is being written", str(error))
    return match and match[0]


class Feed:
    """Writes rows into FIFOs a few at a time, in an order and at a pace drawn from `rng`, so that a run sees many small batches and sends
    intermediate changes. `paths`: file of lines → FIFO that the script reads."""

    def __init__(self, rng, paths):
        self.rng, self.paths = rng, paths

    def run(self, alive):
        chunks = {}
        for source, fifo in self.paths.items():
            with open(source) as f:
                chunks[fifo] = self.cut(f.readlines())
            if os.path.exists(fifo):
                os.unlink(fifo)
            os.mkfifo(fifo)
        return threading.Thread(target=self.write, args=(chunks, alive), daemon=True)

    def cut(self, lines):
        pieces = min(len(lines), self.rng.choice([1, 6, 12]))
        at = sorted(self.rng.sample(range(1, len(lines)), pieces - 1)) if pieces > 1 else []
        return ["".join(lines[i:j]) for i, j in zip([0] + at, at + [len(lines)])]

    def write(self, chunks, alive):
        files = {}
        while len(files) < len(chunks) and alive():
            for fifo in chunks.keys() - files.keys():
                try:
                    descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
                    os.set_blocking(descriptor, True)
                    files[fifo] = open(descriptor, "w")
                except OSError:  # nobody reads yet
                    time.sleep(0.002)
        try:
            while files:
                fifo = self.rng.choice(sorted(files))
                if chunks[fifo]:
                    files[fifo].write(chunks[fifo].pop(0))
                    files[fifo].flush()
                else:
                    files.pop(fifo).close()
                time.sleep(self.rng.choice([0, 0.003, 0.012]))
        except (BrokenPipeError, OSError):
            pass  # the process has ended early; its exit code says why


def run_script(binary, script, parallelism, feed=None, timeout=30):
    """The JSON lines that the script's bare SELECT prints, parsed; numbers with a point become Decimal."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as f:
        f.write(script)
    alive = threading.Event()
    alive.set()
    writer = feed.run(alive.is_set) if feed else None
    try:
        if writer:
            writer.start()
        done = subprocess.run([binary, "run", "-q", "--parallelism", str(parallelism), f.name],
                              capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise LaminarError(f"no end within {timeout} s")
    finally:
        alive.clear()
        os.unlink(f.name)
        if writer:
            writer.join(10)
    if done.returncode != 0:
        raise LaminarError(f"exit code {done.returncode}: {done.stderr.strip()[-600:]}")
    if "late row" in done.stderr:
        raise Mismatch("the input is within the watermark's delay, but: " + done.stderr.strip()[-300:])
    return [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]


def accumulate(records, check_order=False):
    """Adds up records into (column names, Counter of row tuples, updating). With check_order a change that takes back a row that is
    not there at that moment is a mismatch; that only holds where one subtask prints."""
    rows, names, updating = collections.Counter(), None, False
    for record in records:
        changes = [(record, 1)]
        if list(record) == ["before", "after", "op"]:
            updating = True
            changes = [(record["before"], -1), (record["after"], 1)]
            shape = (record["before"] is not None, record["after"] is not None)
            if {"c": (False, True), "u": (True, True), "d": (True, False)}.get(record["op"]) != shape:
                raise Mismatch(f"malformed change {record}")
            if record["op"] == "u" and record["before"] == record["after"]:
                raise Mismatch(f"an update that changes nothing: {record}")
        for row, weight in changes:
            if row is None:
                continue
            names = names or list(row)
            key = freeze(list(row.values()))
            rows[key] += weight
            if check_order and rows[key] < 0:
                raise Mismatch(f"takes back a row that is not there: {row}")
    negative = [row for row, n in rows.items() if n < 0]
    if negative:
        raise Mismatch(f"{len(negative)} rows taken back more often than given, e.g. {negative[0]}")
    return names, +rows, updating


def freeze(value):
    if isinstance(value, list):
        return tuple(freeze(v) for v in value)
    if isinstance(value, dict):
        return tuple((k, freeze(v)) for k, v in value.items())
    return value


def micros(moment):
    delta = moment - EPOCH
    return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds


def parse_time(text):
    """Microseconds since 1970 of a TIMESTAMP in JSON output, or the text itself if it is none."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z?", text)
    if not match:
        return text
    moment = datetime.datetime.strptime(f"{match[1]} {match[2]}", "%Y-%m-%d %H:%M:%S")
    return micros(moment) + int((match[3] or "0").ljust(6, "0"))


def canonical(value, sql_type, updating=False):
    """One form for a value of either engine; sql_type is DuckDB's name of the column's type."""
    if value is None:
        return None
    if sql_type.endswith("[]"):
        if not isinstance(value, (list, tuple)):
            return ("not a list", str(value))
        return tuple(canonical(v, sql_type[:-2], updating) for v in value)
    if sql_type.startswith("DECIMAL") and isinstance(value, str):
        scale = int(sql_type.split(",")[1].strip(" )"))
        try:
            return Decimal(int.from_bytes(base64.b64decode(value, validate=True), "big", signed=True)).scaleb(-scale).normalize() + 0
        except ValueError:
            return ("not base64", value)
    if sql_type == "TIMESTAMP" and isinstance(value, str):
        return parse_time(value)
    if isinstance(value, datetime.datetime):
        return micros(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool) or isinstance(value, str):
        return value
    if sql_type in ("DOUBLE", "FLOAT"):
        return float(f"{float(value):.9g}") + 0.0
    if isinstance(value, (int, Decimal)):
        return Decimal(value).normalize() + 0
    if isinstance(value, float):
        return Decimal(repr(value)).normalize() + 0
    return value


def near(a, b):
    if isinstance(a, (float, Decimal)) and isinstance(b, (float, Decimal)):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)
    return a == b


def compare(got, want, types):
    """Raises Mismatch with the first rows that only one side has. Both are Counters of canonical rows. Rows that differ by less than
    floating-point noise count as equal."""
    missing, extra = list((want - got).elements()), list((got - want).elements())
    if missing and len(missing) == len(extra) and len(missing) <= 3000 and any(t in ("DOUBLE", "FLOAT") for t in types):
        exact = [i for i, t in enumerate(types) if t not in ("DOUBLE", "FLOAT")]
        by_key = collections.defaultdict(list)
        for row in extra:
            by_key[tuple(row[i] for i in exact)].append(row)
        rest = []
        for row in missing:
            pool = by_key[tuple(row[i] for i in exact)]
            twin = next((p for p in pool if all(near(a, b) for a, b in zip(p, row))), None)
            if twin is None:
                rest.append(row)
            else:
                pool.remove(twin)
        missing, extra = rest, [row for pool in by_key.values() for row in pool]
    if missing or extra:
        order = lambda row: tuple((v is not None, str(v)) for v in row)
        show = lambda rows: "".join("\n    " + str(tuple(plain(v) for v in r)) for r in sorted(rows, key=order)[:3]) or " none"
        raise Mismatch(f"{sum(got.values())} rows, {sum(want.values())} wanted; {len(missing)} missing:{show(missing)}\n  {len(extra)} too many:{show(extra)}")


def plain(value):
    if isinstance(value, tuple):
        return tuple(plain(v) for v in value)
    return float(value) if isinstance(value, Decimal) and value % 1 else int(value) if isinstance(value, Decimal) else value


def oracle(duck, sql):
    """DuckDB's answer as (column names, type names, rows)."""
    result = duck.execute(sql)
    types = [str(column[1]) for column in result.description]
    return [column[0] for column in result.description], types, result.fetchall()


def check(binary, script, parallelism, types, rows, feed=None):
    """Runs the script and compares with the oracle's rows."""
    got_names, got, updating = accumulate(run_script(binary, script, parallelism, feed), check_order=parallelism == 1)
    if got_names and len(got_names) != len(types):
        raise Mismatch(f"{len(got_names)} columns, {len(types)} wanted")
    left, right = collections.Counter(), collections.Counter()
    for row, n in got.items():
        left[tuple(canonical(v, t, updating) for v, t in zip(row, types))] += n
    for row in rows:
        right[tuple(canonical(v, t) for v, t in zip(row, types))] += 1
    compare(left, right, types)
