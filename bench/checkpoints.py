#!/usr/bin/env python3
"""What checkpoints and restarts cost.

  bench/checkpoints.py [--only pause,delta,nexmark,restart,rescale,start] [--laminar build/release/laminar] [--dir FOLDER] [--seconds 30] [--keys 10000000]

pause    an updating aggregate over 10 M keys, uniform updates as fast as they go, a checkpoint each 1 s and each 10 s: the pause at the barrier
         (`pause_us` of each checkpoint that begins when all keys are there)
delta    the same aggregate while 1 % of its keys change between two checkpoints: bytes written, beside those of all keys
nexmark  q4, q5, q7, q8 and q9 from the generator in memory, with a checkpoint each second and without: throughput. Runs of the two take turns
restart  kill -9, then start again: time from the start of the process to its first row of output, with little state and with 1 GB
rescale  a server with a pipeline of the same state, rescaled 2 -> 1 -> 2 -> 4 -> 2: the longest time without a new row in its sink's file, and
         where that time goes
start    time from the start of a process without state to its first row of output

Each prints a table; what misses its target is named at the end, and the exit code is then 1. State goes below --dir (default: a temporary
folder, removed at the end), 3 GB at most.
"""
import argparse, os, re, shutil, signal, statistics, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import run as nexmark  # noqa: E402
import server as api  # noqa: E402

PARALLELISM = 2
NUMBER = f"(counter * {PARALLELISM} + subtask_index)"  # 0, 1, 2 … over the subtasks of an impulse source
STEP = 2_654_435_761  # coprime to powers of ten: as many numbers in a row as there are keys, times this, hit every key once
PAUSE_MS_MAX, DELTA_SHARE_MAX = 10, 0.03
RATIO_MIN = 0.9
RESTART_SMALL_MS_MAX, RESTART_LARGE_MS_MAX, START_MS_MAX = 500, 3000, 200
RESCALE_MS_MAX = 1000
QUERIES = ["q4", "q5", "q7", "q8", "q9"]

CHECKPOINT = re.compile(r"checkpoint (\d+) \((\w+)\): (\d+) entries, (\d+) bytes written in ([\d.]+) ms beside the job, which paused ([\d.]+) ms; "
                        r"(\d+) bytes in (\d+) files")


class Checkpoint:
    def __init__(self, match):
        self.entries, self.written = int(match[3]), int(match[4])
        self.write_ms, self.pause_ms, self.total = float(match[5]), float(match[6]), int(match[7])


class Job:
    """A running `laminar run -v`; collects its checkpoints, and when its first row of output came."""

    def __init__(self, laminar, script, state=None, interval="1s"):
        self.checkpoints, self.first_row, self.errors = [], None, []
        with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as file:
            file.write(script)
        self.script = file.name
        command = [laminar, "run", "-q", "-v", "--parallelism", str(PARALLELISM), file.name]
        if state:
            command += ["--state", state, "--checkpoint-interval", interval]
        self.began = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.threads = [threading.Thread(target=self.read_errors), threading.Thread(target=self.read_rows)]
        for thread in self.threads:
            thread.start()

    def read_errors(self):
        for line in self.process.stderr:
            found = CHECKPOINT.search(line.decode())
            self.checkpoints.append(Checkpoint(found)) if found else self.errors.append(line.decode())

    def read_rows(self):
        while piece := os.read(self.process.stdout.fileno(), 1 << 16):
            self.first_row = self.first_row or time.perf_counter()

    def wait_for(self, condition, seconds):
        """False when it did not come true in so many seconds."""
        for _ in range(int(seconds * 1000)):
            if condition():
                return True
            if self.process.poll() is not None:
                break
            time.sleep(0.001)
        if self.process.poll():
            raise RuntimeError("".join(self.errors)[:500])
        return condition()

    def end(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait()
        for thread in self.threads:
            thread.join()
        os.unlink(self.script)
        return time.perf_counter() - self.began


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p))]


class Rescaled:
    """A pipeline of a server, and when rows came into its sink's file."""

    def __init__(self, server, script, keys):
        self.server, self.grown, self.over, self.usual = server, [], False, []
        self.path = os.path.join(server.folder, "seen.json")
        server.call("POST", "/connection_tables", {
            "name": "seen", "connector": "single_file", "config": {"path": self.path, "type": "sink", "format": "debezium_json"},
            "schema": {"fields": [{"name": name, "type": "BIGINT"} for name in ["k", *(f"s{i}" for i in range(1, 5)), *(f"m{i}" for i in range(3, 7)), "new"]]}})
        made = server.pipeline("held", script, parallelism=PARALLELISM, checkpoint_interval_micros=10_000_000, start=True)
        self.id, self.job = made["id"], made["current_job_id"]
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        server.wait(f"/jobs/{self.job}/metrics", lambda metrics: metrics["records_in"] >= keys, 600)
        filled = 1000 * time.time()
        page = server.wait(f"/jobs/{self.job}/checkpoints", lambda page: page["data"] and page["data"][0]["start_time"] > filled, 60)
        self.checkpoint = page["data"][0]

    def watch(self):
        """A restore may cut the file to what its checkpoint says: only growth is a row."""
        size = 0
        while not self.over:
            now = os.path.getsize(self.path) if os.path.exists(self.path) else 0
            if now > size:
                self.grown.append(time.time())
            size = now
            time.sleep(0.001)

    def gap_ms(self, since):
        times = [t for t in list(self.grown) if t >= since]
        return 1000 * max(b - a for a, b in zip(times, times[1:]))

    def rescale(self, parallelism):
        time.sleep(2)
        asked = time.time()
        self.usual.append(self.gap_ms(asked - 2))
        self.server.call("PATCH", f"/pipelines/{self.id}", {"parallelism": parallelism})
        self.server.wait(f"/jobs/{self.job}", lambda job: job["stateDetail"] == "Running" and job["parallelism"] == parallelism
                         and self.times("started").get("opened_ms", 0) > 1000 * asked)
        opened = self.times("started")["opened_ms"] / 1000
        deadline = time.time() + 60
        while not (self.grown and self.grown[-1] > opened + 1) and time.time() < deadline:
            time.sleep(0.05)
        first = next(t for t in list(self.grown) if t > opened)
        stopped, started = self.times("stopped"), self.times("started")
        times = {"successor planned": started["planned_ms"], "predecessor told to stop": stopped["asked_ms"], "last checkpoint written": stopped["written_ms"],
                 "predecessor closed": stopped["closed_ms"], "successor told to start": started["told_ms"], "locked": started["locked_ms"],
                 "state opened": started["opened_ms"], "first row": 1000 * first}
        return self.gap_ms(asked - 0.5), {name: at - 1000 * asked for name, at in times.items()}

    def times(self, message):
        """Of the newest log line of that name."""
        lines = [line for line in self.server.call("GET", f"/jobs/{self.job}/logs?limit=200")["data"] if line["message"] == message]
        return lines[-1]["details"] if lines else {}

    def end(self):
        self.over = True
        self.thread.join()


class Bench:
    def __init__(self, options):
        self.options, self.failures = options, []
        self.keys = options.keys
        key = f"{NUMBER} * {STEP} % {self.keys}"
        self.aggregate = f"INSERT INTO sink SELECT {key} AS k, count(*) AS n, sum(counter) AS s FROM beats GROUP BY {key};\n"
        self.folder = tempfile.mkdtemp(prefix="laminar-checkpoints-", dir=options.dir)

    def target(self, holds, text):
        if not holds:
            self.failures.append(text)

    def state(self, name):
        path = os.path.join(self.folder, name)
        shutil.rmtree(path, ignore_errors=True)
        return path

    def job(self, script, **more):
        return Job(self.options.laminar, script, **more)

    # The aggregate over 10 M keys.

    def full(self, checkpoints):
        """Those that begin when every key is there. Until then each update makes a key."""
        entries = 0
        for i, checkpoint in enumerate(checkpoints):
            if entries >= self.keys:
                return checkpoints[i:]
            entries += checkpoint.entries
        return []

    def pause(self):
        print(f"\nUpdating aggregate, {self.keys:,} keys, uniform updates: pause at the barrier\n")
        print(f"{'interval':>8} {'checkpoints':>11} {'entries each':>12} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'write ms':>9}")
        script = ("CREATE TABLE beats WITH (connector = 'impulse', event_rate = 0);\n"
                  "CREATE TABLE sink WITH (connector = 'blackhole');\n" + self.aggregate)
        for interval, seconds in (("1s", self.options.seconds), ("10s", 4 * self.options.seconds)):
            job = self.job(script, state=self.state("pause"), interval=interval)
            if not job.wait_for(lambda: len(self.full(job.checkpoints)) > 0, 300):
                sys.exit("the aggregate did not come to hold all keys")
            job.wait_for(lambda: False, seconds)
            job.end()
            full = self.full(job.checkpoints)
            pauses = [checkpoint.pause_ms for checkpoint in full]
            print(f"{interval:>8} {len(full):>11} {statistics.median(c.entries for c in full):>12,.0f} {percentile(pauses, 0.5):>8.2f} "
                  f"{percentile(pauses, 0.99):>8.2f} {max(pauses):>8.2f} {statistics.median(c.write_ms for c in full):>9.0f}", flush=True)
            self.target(percentile(pauses, 0.99) <= PAUSE_MS_MAX, f"p99 of the pause, each {interval}, is above {PAUSE_MS_MAX} ms")

    def delta(self):
        print(f"\nThe same aggregate, {self.keys // 100:,} updates a second, a checkpoint each second: bytes of a checkpoint\n")
        script = (f"CREATE TABLE fill WITH (connector = 'impulse', event_rate = 0, message_count = {self.keys // PARALLELISM});\n"
                  f"CREATE TABLE drip WITH (connector = 'impulse', event_rate = {self.keys // 100});\n"
                  "CREATE TABLE sink WITH (connector = 'blackhole');\n"
                  "CREATE VIEW beats AS SELECT counter, subtask_index FROM fill UNION ALL SELECT counter, subtask_index FROM drip;\n" + self.aggregate)
        job = self.job(script, state=self.state("delta"))
        # Of the updates while the keys come in some hit new ones: a few checkpoints later all is settled.
        if not job.wait_for(lambda: len(self.full(job.checkpoints)) > 4, 300):
            sys.exit("the aggregate did not come to hold all keys")
        job.wait_for(lambda: False, self.options.seconds / 3)
        job.end()
        small = self.full(job.checkpoints)[3:]
        filling = job.checkpoints[:-len(self.full(job.checkpoints))]
        per_entry = sum(c.written for c in filling) / sum(c.entries for c in filling)
        everything = per_entry * self.keys
        share = statistics.median(c.written / everything for c in small)
        changed = statistics.median(c.entries / self.keys for c in small)
        print(f"all keys {everything / 1e6:.1f} MB; {100 * changed:.2f} % of them changed: {share * everything / 1e6:.2f} MB, {100 * share:.2f} %")
        self.target(share <= DELTA_SHARE_MAX * changed * 100, f"a checkpoint after {100 * changed:.1f} % changed writes {100 * share:.1f} %")

    # Throughput.

    def nexmark(self):
        print("\nNexmark from the generator, Mev/s: without state, with a checkpoint each second\n")
        print(f"{'query':5} {'events':>12} {'without':>8} {'with':>8} {'ratio':>6} {'checkpoints':>11} {'max pause ms':>12}")
        views, queries = nexmark.read("nexmark", "memory_views.sql"), nexmark.queries("queries.sql")
        for name in QUERIES:
            def seconds(events, state):
                script = views.replace("{events}", str(events)) + "\nCREATE TABLE sink WITH (connector = 'blackhole');\n" \
                    f"INSERT INTO sink {queries[name]};\n"
                job = self.job(script, state=state)
                job.wait_for(lambda: False, 600)
                return job.end(), job

            events = 2_000_000
            events = int(events * self.options.seconds / 2 / seconds(events, None)[0]) // 1_000_000 * 1_000_000 + 1_000_000
            without, with_, ratios, jobs = [], [], [], []
            for _ in range(self.options.runs):
                without.append(seconds(events, None)[0])
                took, job = seconds(events, self.state("nexmark"))
                with_.append(took)
                jobs.append(job)
                ratios.append(without[-1] / took)
            ratio = statistics.median(ratios)
            pauses = [c.pause_ms for job in jobs for c in job.checkpoints]
            print(f"{name:5} {events:>12,} {events / statistics.median(without) / 1e6:>8.2f} {events / statistics.median(with_) / 1e6:>8.2f} {ratio:>6.2f} "
                  f"{len(pauses) // len(jobs):>11} {max(pauses):>12.2f}", flush=True)
            self.target(ratio >= RATIO_MIN, f"{name} with a checkpoint each second reaches {100 * ratio:.0f} % of its rate without")

    # Restart and start.

    def first_row_ms(self, script, state):
        times = []
        for _ in range(max(3, self.options.runs)):
            job = self.job(script, state=state, interval="60s")
            if not job.wait_for(lambda: job.first_row, 120):
                sys.exit("no output after a restart: " + "".join(job.errors))
            times.append(1000 * (job.first_row - job.began))
            job.end()
        return statistics.median(times)

    def held(self, keys, into=""):
        """A script that holds so many keys and then prints the updates of `drip`, few of them."""
        values = ", ".join([f"sum(counter + {i}) AS s{i}" for i in range(1, 5)] + [f"max(counter % {i}) AS m{i}" for i in range(3, 7)])
        key = f"{NUMBER} * {STEP} % {keys}"
        return (f"CREATE TABLE fill WITH (connector = 'impulse', event_rate = 0, message_count = {keys // PARALLELISM});\n"
                "CREATE TABLE drip WITH (connector = 'impulse', event_rate = 1000);\n"
                "CREATE VIEW beats AS SELECT counter, subtask_index, 0 AS new FROM fill UNION ALL SELECT counter, subtask_index, 1 FROM drip;\n"
                f"{into}SELECT * FROM (SELECT {key} AS k, {values}, max(new) AS new FROM beats GROUP BY {key}) WHERE new = 1;\n")

    def restart(self):
        print("\nkill -9 and start again: time to the first row of output, median\n")
        print(f"{'keys':>12} {'checkpoint MB':>13} {'ms':>8}")
        for keys, most in ((1000, RESTART_SMALL_MS_MAX), (2 * self.keys, RESTART_LARGE_MS_MAX)):
            script = self.held(keys)
            state = self.state("restart")
            job = self.job(script, state=state)
            if not job.wait_for(lambda: sum(c.entries for c in job.checkpoints) >= keys and len(job.checkpoints) > 3, 300):
                sys.exit("the state was not filled")
            total = job.checkpoints[-1].total
            job.end()
            took = self.first_row_ms(script, state)
            print(f"{keys:>12,} {total / 1e6:>13.1f} {took:>8.0f}", flush=True)
            self.target(took <= most, f"a restart with {keys:,} keys takes {took:.0f} ms to its first row, more than {most}")

    def rescale(self):
        print("\nA running pipeline is rescaled: longest time between two new rows in its sink's file, median; then when what happened, "
              "in ms from the request (median of all)\n")
        print(f"{'keys':>12} {'checkpoint MB':>13} {'2 -> 1':>8} {'1 -> 2':>8} {'2 -> 4':>8} {'4 -> 2':>8} {'else':>8}")
        for keys in (1000, 2 * self.keys):
            with api.Server(self.options.laminar, self.folder) as server:
                pipeline = Rescaled(server, self.held(keys, "INSERT INTO seen "), keys)
                took, parts = {}, []
                for _ in range(max(3, self.options.runs)):
                    for before, after in ((2, 1), (1, 2), (2, 4), (4, 2)):
                        gap, times = pipeline.rescale(after)
                        took.setdefault((before, after), []).append(gap)
                        parts.append(times)
                medians = [statistics.median(gaps) for gaps in took.values()]
                print(f"{keys:>12,} {pipeline.checkpoint['size_bytes'] / 1e6:>13.1f} " + " ".join(f"{gap:>8.0f}" for gap in medians)
                      + f" {statistics.median(pipeline.usual):>8.0f}")
                print("             " + ", ".join(f"{name} {statistics.median(times[name] for times in parts):.0f}" for name in parts[0]), flush=True)
                pipeline.end()
            for (before, after), gap in zip(took, medians):
                self.target(gap <= RESCALE_MS_MAX, f"rescaling {keys:,} keys from {before} to {after} pauses for {gap:.0f} ms, more than {RESCALE_MS_MAX}")

    def start(self):
        took = self.first_row_ms("CREATE TABLE beats WITH (connector = 'impulse', event_rate = 0, message_count = 1000000);\n"
                                 "SELECT counter, counter % 7 AS k FROM beats WHERE counter % 3 = 0;\n", None)
        print(f"\nstart without state to the first row of output: {took:.0f} ms (median)")
        self.target(took <= START_MS_MAX, f"a start takes {took:.0f} ms to its first row, more than {START_MS_MAX}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["pause", "delta", "nexmark", "restart", "rescale", "start"]
    parser.add_argument("--only", default=",".join(names))
    parser.add_argument("--laminar", default=os.path.join(nexmark.ROOT, "build", "release", "laminar"))
    parser.add_argument("--dir")
    parser.add_argument("--keys", type=int, default=10_000_000, help="a power of ten")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=3)
    bench = Bench(parser.parse_args())
    try:
        for name in bench.options.only.split(","):
            if name not in names:
                parser.error(f"--only takes {', '.join(names)}")
            getattr(bench, name)()
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    for failure in bench.failures:
        print(f"misses its target: {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
