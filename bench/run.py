#!/usr/bin/env python3
"""Nexmark on Laminar beside DuckDB's batch answer over the same NDJSON file, in the same run.

  bench/run.py [--events 2M] [--threads 2] [--runs 3] [q0 q5 ...]

Prints one line a query: events per second, CPU seconds and peak memory of Laminar (the whole process, cold start included), the
same of DuckDB (in this process), and the ratio of the rates; last the geometric mean. Data is made once under bench/data/.
"""
import argparse, json, math, os, re, resource, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
P = "STRUCT(id BIGINT, name VARCHAR, emailAddress VARCHAR, creditCard VARCHAR, city VARCHAR, state VARCHAR, dateTime TIMESTAMP, extra VARCHAR)"
A = "STRUCT(id BIGINT, itemName VARCHAR, description VARCHAR, initialBid BIGINT, reserve BIGINT, dateTime TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra VARCHAR)"
B = "STRUCT(auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, dateTime TIMESTAMP, extra VARCHAR)"


def queries(name):
    parts = ("\n" + open(os.path.join(HERE, "nexmark", name)).read()).split("\n--@ ")[1:]
    return {p.split(None, 1)[0]: p.split("\n", 1)[1].strip() for p in parts}


def data(events):
    folder = os.path.join(HERE, "data", events)
    if not os.path.exists(os.path.join(folder, "meta.json")):
        subprocess.run([sys.executable, os.path.join(HERE, "nexmark", "gen.py"), events, "--dir", os.path.join(HERE, "data"), "--no-flat"], check=True)
    return os.path.join(folder, "events.json"), json.load(open(os.path.join(folder, "meta.json")))["events"]


def laminar(binary, script, threads):
    with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as f:
        f.write(script)
    begin = time.perf_counter()
    process = subprocess.Popen([binary, "run", "-q", "--parallelism", str(threads), f.name], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0  # ru_maxrss would start from this process's own peak, so the child's is read while it runs
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        try:
            with open(f"/proc/{process.pid}/status") as proc:
                found = re.search(r"VmHWM:\s+(\d+)", proc.read())
            peak = max(peak, int(found[1])) if found else peak
        except OSError:
            pass
        time.sleep(0.002)
    wall = time.perf_counter() - begin
    error = process.stderr.read().decode()
    os.unlink(f.name)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(error.strip()[:300])
    return wall, usage.ru_utime + usage.ru_stime, peak // 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("queries", nargs="*")
    parser.add_argument("--events", default="2M")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--laminar", default=os.path.join(ROOT, "build", "release", "laminar"))
    parser.add_argument("--no-duckdb", action="store_true")
    options = parser.parse_args()
    path, events = data(options.events.upper())
    ours, theirs = queries("queries.sql"), queries("duckdb.sql")
    views = open(os.path.join(HERE, "nexmark", "views.sql")).read().replace("{path}", path)
    duck = None
    if not options.no_duckdb:
        import duckdb
        duck = duckdb.connect()
        duck.execute(f"SET threads = {options.threads}; SET preserve_insertion_order = false")
        source = f"read_json('{path}', format='newline_delimited', columns={{event_type: 'INT', %s: '%s'}})"
        for kind, type_, number in (("person", P, 0), ("auction", A, 1), ("bid", B, 2)):
            duck.execute(f"CREATE VIEW {kind} AS SELECT {kind}.* RENAME (dateTime AS ts) FROM (SELECT unnest({kind}, max_depth := 2) FROM {source % (kind, type_)} WHERE event_type = {number}) {kind}")
    print(f"{'query':6} {'Mev/s':>7} {'cpu s':>7} {'MB':>6} {'DuckDB':>8} {'ratio':>6}")
    ratios = []
    for name in options.queries or ours:
        script = views + f"\nCREATE TABLE sink WITH (connector = 'blackhole');\nINSERT INTO sink {ours[name]};\n"
        try:
            laminar(options.laminar, script, options.threads)  # warm
            runs = [laminar(options.laminar, script, options.threads) for _ in range(options.runs)]
        except RuntimeError as error:
            print(f"{name:6} failed: {error}")
            continue
        wall, cpu, memory = (statistics.median(r[i] for r in runs) for i in range(3))
        rate = events / wall / 1e6
        line = f"{name:6} {rate:7.2f} {cpu:7.2f} {memory:6.0f}"
        if duck and name in theirs:
            times = []
            for _ in range(options.runs + 1):
                duck.execute("DROP TABLE IF EXISTS result")
                begin = time.perf_counter()
                duck.execute(f"CREATE TEMP TABLE result AS {theirs[name]}")
                times.append(time.perf_counter() - begin)
            duck_rate = events / statistics.median(times[1:]) / 1e6
            ratios.append(rate / duck_rate)
            line += f" {duck_rate:8.2f} {rate / duck_rate:6.2f}"
        print(line, flush=True)
    if ratios:
        print(f"geometric mean of {len(ratios)} ratios: {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}")


if __name__ == "__main__":
    main()
