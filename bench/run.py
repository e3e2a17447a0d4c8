#!/usr/bin/env python3
"""Nexmark on Laminar, beside DuckDB's batch answer over the same NDJSON file in the same run.

  bench/run.py [--events 2M] [--threads 2] [--runs 3] [--only json|memory|simdjson] [q0 q5 ...]

json      each query from one NDJSON file (made once under bench/data/), and DuckDB's batch answer over that file
simdjson  the limit of the bytes: simdjson alone walks to what q0 reads (bench/micro/simdjson_walk.cc)
memory    each query over the generator of the `nexmark` connector: no file, no JSON; and its peak memory at five times the length

A line is a query: millions of events per second, CPU seconds and peak memory of Laminar (the whole process: start, planning,
reading, flushing), the same of DuckDB (the process that is open already), and the ratio of the two rates. Each is run once to warm up, then --runs times:
medians. Floors that do not hold are named at the end, and the exit code is then 1.
"""
import argparse, json, math, os, re, statistics, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PERSON = "STRUCT(id BIGINT, name VARCHAR, emailAddress VARCHAR, creditCard VARCHAR, city VARCHAR, state VARCHAR, dateTime TIMESTAMP, extra VARCHAR)"
AUCTION = "STRUCT(id BIGINT, itemName VARCHAR, description VARCHAR, initialBid BIGINT, reserve BIGINT, dateTime TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra VARCHAR)"
BID = "STRUCT(auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, dateTime TIMESTAMP, extra VARCHAR)"

SIMDJSON_SHARE_MIN = 0.35
DUCKDB_RATIO_MIN, DUCKDB_GEOMEAN_MIN = 0.7, 1.0
MEMORY_MB_MAX, MEMORY_MB_MAX_OF = 2000, {"q20": 4000}  # at 10 M events
WINDOWED = ["q5", "q7", "q8", "q11", "q12"]  # whose state is that of open windows
GROWTH, GROWTH_MB_MAX = 5, 32


def read(*path):
    with open(os.path.join(HERE, *path)) as file:
        return file.read()


def queries(name):
    parts = ("\n" + read("nexmark", name)).split("\n--@ ")[1:]
    return {part.split(None, 1)[0]: part.split("\n", 1)[1].strip() for part in parts}


def number(text):
    unit = {"K": 10**3, "M": 10**6}.get(text[-1].upper(), 1)
    return int(float(text.rstrip("kKmM")) * unit)


def data(events):
    """The file with so many events and how many they are; made when it is not there."""
    folder = os.path.join(HERE, "data", events)
    if not os.path.exists(os.path.join(folder, "meta.json")):
        generate = [sys.executable, os.path.join(HERE, "nexmark", "gen.py"), events, "--dir", os.path.join(HERE, "data"), "--no-flat"]
        subprocess.run(generate, check=True)
    with open(os.path.join(folder, "meta.json")) as file:
        return os.path.join(folder, "events.json"), json.load(file)["events"]


class PeakMemory:
    """Highest resident memory of a process, in MB, while this is open. /proc and not ru_maxrss, which starts from the parent's."""

    def __init__(self, pid):
        self.path, self.kb, self.done = f"/proc/{pid}/status", 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.done.wait(0.002):
            self.look()

    def look(self):
        try:
            with open(self.path) as file:
                found = re.search(r"VmHWM:\s+(\d+)", file.read())
            self.kb = max(self.kb, int(found[1])) if found else self.kb
        except OSError:
            pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


class Laminar:
    def __init__(self, binary, threads):
        self.binary, self.threads = binary, threads

    def run(self, script):
        """(seconds, CPU seconds, peak MB) of the process that runs the script."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as file:
            file.write(script)
        try:
            begin = time.perf_counter()
            process = subprocess.Popen([self.binary, "run", "-q", "--parallelism", str(self.threads), file.name],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            with PeakMemory(process.pid) as memory:
                error = process.stderr.read()
                _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            os.unlink(file.name)
        if process.returncode != 0:
            raise RuntimeError(error.strip()[:300] or f"exit code {process.returncode}")
        return wall, usage.ru_utime + usage.ru_stime, memory.kb / 1024


class DuckDB:
    def __init__(self, path, threads):
        import duckdb

        self.db = duckdb.connect()
        self.db.execute(f"SET threads = {threads}; SET preserve_insertion_order = false")
        source = f"read_json('{path}', format='newline_delimited', columns={{event_type: 'INT', %s: '%s'}})"
        for kind, type_, event_type in (("person", PERSON, 0), ("auction", AUCTION, 1), ("bid", BID, 2)):
            self.db.execute(f"CREATE VIEW {kind} AS SELECT {kind}.* RENAME (dateTime AS ts) FROM (SELECT unnest({kind}, max_depth := 2) "
                            f"FROM {source % (kind, type_)} WHERE event_type = {event_type}) {kind}")

    def run(self, query):
        self.db.execute("DROP TABLE IF EXISTS result")
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")  # the peak starts from what is in use now
        except OSError:
            pass
        with PeakMemory(os.getpid()) as memory:
            begin, cpu = time.perf_counter(), time.process_time()
            self.db.execute(f"CREATE TEMP TABLE result AS {query}")
            times = time.perf_counter() - begin, time.process_time() - cpu
        return *times, memory.kb / 1024


def medians(run, runs):
    run()
    results = [run() for _ in range(runs)]
    return [statistics.median(result[i] for result in results) for i in range(3)]


def mean_ratio(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


class Bench:
    def __init__(self, options):
        self.options = options
        self.laminar = Laminar(options.laminar, options.threads)
        self.queries, self.batch_queries = queries("queries.sql"), queries("duckdb.sql")
        self.names = options.queries or list(self.queries)
        self.failures = []

    def floor(self, holds, text):
        if not holds:
            self.failures.append(text)

    def measure(self, name, views, runs=None):
        script = views + f"\nCREATE TABLE sink WITH (connector = 'blackhole');\nINSERT INTO sink {self.queries[name]};\n"
        try:
            return medians(lambda: self.laminar.run(script), runs or self.options.runs)
        except RuntimeError as error:
            print(f"{name:5} failed: {error}", flush=True)
            self.failures.append(f"{name} failed")
            return None

    def json(self):
        path, events = data(self.options.events.upper())
        views = read("nexmark", "views.sql").replace("{path}", path)
        duck = None if self.options.no_duckdb else DuckDB(path, self.options.threads)
        rates, ratios = {}, []
        print(f"\nFrom NDJSON, {events:,} events, {self.options.threads} threads; Laminar, then DuckDB's batch\n")
        print(f"{'query':5} {'Mev/s':>7} {'cpu s':>6} {'MB':>6}  {'Mev/s':>7} {'cpu s':>6} {'MB':>6}  {'ratio':>6}")
        for name in self.names:
            measured = self.measure(name, views)
            if not measured:
                continue
            wall, cpu, memory = measured
            rates[name] = events / wall / 1e6
            line = f"{name:5} {rates[name]:7.2f} {cpu:6.2f} {memory:6.0f}"
            if duck and name in self.batch_queries:
                batch, batch_cpu, batch_memory = medians(lambda: duck.run(self.batch_queries[name]), self.options.runs)
                ratios.append(batch / wall)
                line += f"  {events / batch / 1e6:7.2f} {batch_cpu:6.2f} {batch_memory:6.0f}  {ratios[-1]:6.2f}"
                self.floor(ratios[-1] >= DUCKDB_RATIO_MIN, f"{name}: {ratios[-1]:.2f} x DuckDB is below {DUCKDB_RATIO_MIN}")
            print(line, flush=True)
            if events <= 10_000_000:
                limit = MEMORY_MB_MAX_OF.get(name, MEMORY_MB_MAX)
                self.floor(memory <= limit, f"{name}: peak memory of {memory:.0f} MB is above {limit}")
        if ratios:
            mean = mean_ratio(ratios)
            print(f"geometric mean of {len(ratios)} ratios: {mean:.2f}")
            self.floor(mean >= DUCKDB_GEOMEAN_MIN, f"geometric mean of {mean:.2f} x DuckDB is below {DUCKDB_GEOMEAN_MIN}")
        return rates

    def simdjson(self, rates):
        path, events = data(self.options.events.upper())
        program = os.path.join(os.path.dirname(self.options.laminar), "bench", "bench_simdjson")
        if not os.path.exists(program):
            sys.exit(f"{program} is not built: cmake --preset release -DLAMINAR_BENCH=ON")
        result = json.loads(subprocess.run([program, path, str(self.options.threads), str(1 << 30)], check=True, capture_output=True, text=True).stdout)
        limit = result["events"] / result["seconds"] / 1e6
        print(f"\nsimdjson ({result['kernel']}) alone, {result['threads']} threads, walks to the fields of q0: {limit:.2f} Mev/s, "
              f"{result['bytes'] / result['seconds'] / 1e9:.1f} GB/s")
        if "q0" in rates:
            share = rates["q0"] / limit
            print(f"q0 from NDJSON reaches {100 * share:.0f} % of that")
            self.floor(share >= SIMDJSON_SHARE_MIN, f"q0 reaches {100 * share:.0f} % of simdjson's rate, less than {100 * SIMDJSON_SHARE_MIN:.0f} %")

    def memory(self):
        events = number(self.options.events)
        views = read("nexmark", "memory_views.sql")
        print(f"\nFrom the generator in memory, {events:,} events; then peak memory at {GROWTH * events:,} events\n")
        print(f"{'query':5} {'Mev/s':>7} {'cpu s':>6} {'MB':>6}  {'MB then':>7}")
        for name in self.names:
            measured = self.measure(name, views.replace("{events}", str(events)))
            if not measured:
                continue
            wall, cpu, memory = measured
            longer = self.measure(name, views.replace("{events}", str(GROWTH * events)), runs=1)
            print(f"{name:5} {events / wall / 1e6:7.2f} {cpu:6.2f} {memory:6.0f}  {longer[2]:7.0f}", flush=True)
            if name in WINDOWED:
                self.floor(longer[2] <= memory + GROWTH_MB_MAX, f"{name}: memory grows with the input, from {memory:.0f} to {longer[2]:.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("queries", nargs="*")
    parser.add_argument("--events", default="2M")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=["json", "memory", "simdjson"])
    parser.add_argument("--laminar", default=os.path.join(ROOT, "build", "release", "laminar"))
    parser.add_argument("--no-duckdb", action="store_true")
    bench = Bench(parser.parse_args())
    only = bench.options.only
    rates = bench.json() if only in (None, "json") else {}
    if only in (None, "simdjson"):
        bench.simdjson(rates)
    if only in (None, "memory"):
        bench.memory()
    for failure in bench.failures:
        print(f"does not hold: {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
