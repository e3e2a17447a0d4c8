#!/usr/bin/env python3
"""A job whose state is several times larger than its memory, killed in the middle: the sums are right, the memory stays below the limit.

    tests/recovery/large_state_test.py --laminar build/release/laminar [--keys 1000000] [--limit-mb 160]
    tests/recovery/large_state_test.py --laminar build/release/laminar --keys 14000000 --limit-mb 1024 --interval 20s   # 5 GB within 1 GB

The limit is the script's state_memory_limit and, where control groups can be made (as root), the memory of a group that the job runs
in, page cache included. Prints what docs/state-on-disk.md quotes.
"""
import argparse, json, os, pathlib, re, shutil, signal, subprocess, sys, tempfile, threading, time

import duckdb

# Every other row goes to one of the newest keys.
ROWS = "SELECT CASE WHEN c % 2 = 0 THEN c / 2 ELSE greatest(0, c / 2 - c * 7919 % {window}) END AS key, c % 1000 AS v FROM {numbers}"
COLUMNS = [f"{name}{i}" for i in range(6) for name in ("s", "low", "high")]
GROUPS = ("SELECT key, count(*) AS n, " +
          ", ".join(f"sum(v * {i} + key % 7) AS s{i}, min(v * {i} + key % 11) AS low{i}, max(v * {i} - key % 5) AS high{i}" for i in range(6)) +
          " FROM ({rows}) GROUP BY key")
TOTALS = ("SELECT 1 AS one, count(*) AS keys, sum(n) AS total, sum(n * n) AS squared, " + ", ".join(f"sum({c}) AS {c}" for c in COLUMNS) +
          " FROM ({groups})")
NAMES = ["one", "keys", "total", "squared"] + COLUMNS
SCRIPT = """
SET state_backend = 'disk';
SET state_memory_limit = '{limit_mb}MB';
SET state_directory = '{dir}';
SET updating_flush_interval = '1 second';
CREATE TABLE numbers WITH (connector = 'impulse', event_rate = '0', message_count = '{count}');
CREATE TABLE totals (one INT PRIMARY KEY, {columns})
  WITH (connector = 'single_file', path = '{dir}/totals.json', type = 'sink', format = 'debezium_json');
INSERT INTO totals {totals};
"""
KEY_BYTES = 350  # at least, of each group


def totals(numbers, window):
    return TOTALS.format(groups=GROUPS.format(rows=ROWS.format(numbers=numbers, window=window)))


def expected(keys, window):
    connection = duckdb.connect(config={"memory_limit": "2GB", "threads": 2})
    sql = totals("(SELECT range AS c FROM range(%d))" % (keys * 2), window).replace("c / 2", "c // 2")
    row = connection.execute(sql).fetchone()
    return dict(zip(NAMES, map(int, row)))


class MemoryGroup:
    """A control group with a memory limit below this process's own, of version 2 or 1; without rights: none."""

    def __init__(self, limit):
        self.path = None
        for line in open("/proc/self/cgroup"):
            _, controllers, path = line.strip().split(":", 2)
            if controllers not in ("", "memory"):
                continue
            root, file = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes") if controllers else ("/sys/fs/cgroup", "memory.max")
            group = f"{root}{path}/laminar-test-{os.getpid()}"
            try:
                os.mkdir(group)
                pathlib.Path(group, file).write_text(str(limit))
            except OSError:
                if os.path.isdir(group):
                    os.rmdir(group)
                continue
            self.path = group
            return

    def enter(self):
        if self.path:
            pathlib.Path(self.path, "cgroup.procs").write_text(str(os.getpid()))

    def peak(self):
        for file in ("memory.peak", "memory.max_usage_in_bytes"):
            if self.path and os.path.exists(f"{self.path}/{file}"):
                return int(pathlib.Path(self.path, file).read_text())

    def remove(self):
        for _ in range(100):
            try:
                if self.path:
                    os.rmdir(self.path)
                return
            except OSError:  # the kernel is still taking the job down
                time.sleep(0.05)


def scratch_bytes(pid):
    """Of the files without a name that the process has open: where its state lies."""
    total = 0
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{fd}"
            if os.readlink(path).endswith("(deleted)"):
                total += os.stat(path).st_size
    except OSError:
        pass
    return total


class Run:
    def __init__(self, options, script, state, group):
        self.began = time.monotonic()
        command = [options.laminar, "run", str(script), "--state", str(state), "--checkpoint-interval", options.interval, "-q", "-v"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=group.enter)
        self.checkpoints, self.errors = [], []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            found = re.search(r"checkpoint (\d+) .*: (\d+) entries, (\d+) bytes written in ([\d.]+) ms .* paused ([\d.]+) ms; (\d+) bytes", line)
            if found:
                self.checkpoints.append([time.monotonic() - self.began] + [float(x) for x in found.groups()])
            else:
                self.errors.append(line)

    def wait(self, until):
        """Until the job has ended, or `until` says so: then it is killed. Returns the largest scratch size that was seen."""
        largest, deadline = 0, time.monotonic() + 3000
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.seconds = time.monotonic() - self.began
                self.max_rss = usage.ru_maxrss * 1024
                self.reader.join()
                return largest
            largest = max(largest, scratch_bytes(self.process.pid))
            if until(self, largest) or time.monotonic() > deadline:
                self.process.send_signal(signal.SIGKILL)
            time.sleep(0.05)


def report(name, run, largest):
    written = [c[3] for c in run.checkpoints]
    print(f"{name}: {run.seconds:.1f} s, max RSS {run.max_rss / 2**20:.0f} MiB, scratch files {largest / 2**20:.0f} MiB")
    if run.checkpoints:
        print(f"  {len(run.checkpoints)} checkpoints, first after {run.checkpoints[0][0]:.1f} s; bytes written each: "
              f"{min(written) / 1e6:.0f} to {max(written) / 1e6:.0f} MB of {run.checkpoints[-1][6] / 1e6:.0f} MB in all; "
              f"pause at most {max(c[5] for c in run.checkpoints):.0f} ms", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--laminar", required=True)
    arguments.add_argument("--keys", type=int, default=1_000_000)
    arguments.add_argument("--limit-mb", type=int, default=160)
    arguments.add_argument("--interval", default="2s")
    arguments.add_argument("--dir", default="/var/tmp", help="where everything lies; must be on a disk")
    options = arguments.parse_args()
    limit, window = options.limit_mb << 20, max(options.keys // 50, 1)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="laminar-large-state-", dir=options.dir))
    group = MemoryGroup(limit)
    try:
        script = directory / "job.sql"
        numbers = "(SELECT CAST(counter AS BIGINT) AS c FROM numbers)"
        script.write_text(SCRIPT.format(dir=directory, limit_mb=options.limit_mb, count=options.keys * 2, totals=totals(numbers, window),
                                        columns=", ".join(f"{name} BIGINT" for name in NAMES[1:])))
        state_bytes = options.keys * KEY_BYTES
        first = Run(options, script, directory / "state", group)
        largest = first.wait(lambda run, scratch: scratch > state_bytes / 2 and len(run.checkpoints) >= 2)
        report("killed", first, largest)
        assert first.process.returncode == -signal.SIGKILL, f"it ended before it could be killed: {''.join(first.errors)}"
        second = Run(options, script, directory / "state", group)
        largest = second.wait(lambda run, scratch: False)
        report("restored", second, largest)
        assert second.process.returncode == 0, f"exit code {second.process.returncode}: {''.join(second.errors)}"
        assert largest > state_bytes, "the state was not on disk"
        for run in first, second:
            assert run.max_rss < limit, f"{run.max_rss} bytes of memory, {limit} were allowed"
        print(f"  peak of the control group, page cache included: {group.peak() / 2**20:.0f} MiB" if group.path else "  no control group: max RSS alone was checked")
        row = json.loads((directory / "totals.json").read_text().splitlines()[-1])["after"]
        wanted = expected(options.keys, window)
        assert {name: int(row[name]) for name in wanted} == wanted, f"{row} instead of {wanted}"
        print(f"ok: {options.keys * 2} rows, {options.keys} keys, {largest / 2**20:.0f} MiB of scratch files within {options.limit_mb} MiB of memory")
    finally:
        group.remove()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
