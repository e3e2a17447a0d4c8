#!/usr/bin/env python3
"""What the server costs: idle pipelines, memory of a job, time to the first row, requests beside a running job, long lists.

  .venv/bin/python bench/server.py --laminar build/release/laminar            all (about 2 minutes)
  .venv/bin/python bench/server.py --laminar build/release/laminar start list only these

Each measure starts its own server on a free port and prints a row `measure | figure | goal`. Run it on a machine that does nothing else:
the load average is printed first.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse

TICK = os.sysconf("SC_CLK_TCK")


class Server:
    def __init__(self, binary, below=None):
        self.folder = tempfile.mkdtemp(prefix="laminar-bench-", dir=below)
        self.process = subprocess.Popen([binary, "server", "--port", "0", "--data-dir", self.folder + "/data"], stdout=subprocess.PIPE, text=True)
        self.host = urllib.parse.urlparse(self.process.stdout.readline().split()[-1])
        self.connection = http.client.HTTPConnection(self.host.hostname, self.host.port, timeout=60)

    def call(self, method, path, body=None, connection=None):
        connection = connection or self.connection
        connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        assert answer.status < 300, (method, path, answer.status, data[:500])
        return json.loads(data)

    def wait(self, path, condition, seconds=120):
        deadline = time.monotonic() + seconds
        while not condition(answer := self.call("GET", path)):
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        return answer

    def pipeline(self, name, query, **more):
        return self.call("POST", "/pipelines", {"name": name, "query": query, **more})

    def workers(self):
        out = []
        for pid in os.listdir("/proc"):
            try:
                if pid.isdigit() and stat(pid)[1] == self.process.pid:
                    out.append(int(pid))
            except (OSError, IndexError):
                pass
        return out

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def stat(pid):
    """State, parent, and CPU seconds used."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return fields[0], int(fields[1]), (int(fields[11]) + int(fields[12])) / TICK


def memory_mb(pid):
    figures = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            parts = line.split()
            if parts[0].endswith(":") and parts[-1] == "kB":
                figures[parts[0][:-1]] = int(parts[1]) / 1024
    return figures


def impulse(rate):
    return f"CREATE TABLE i WITH (connector = 'impulse', event_rate = '{rate}');\n"


def row(measure, figure, goal):
    print(f"| {measure} | {figure} | {goal} |", flush=True)


def idle(binary, count=200, seconds=30):
    """Sources that wait for a file that does not come."""
    with Server(binary) as server:
        folder = pathlib.Path(server.folder) / "in"
        folder.mkdir()
        server.call("POST", "/connection_tables", {"name": "quiet", "connector": "filesystem", "config": {"path": str(folder), "type": "source", "format": "json", "scan_interval": "10s"},
                                                   "schema": {"fields": [{"name": "a", "type": "INT"}]}})
        started = [server.pipeline(f"p{i}", "SELECT a, count(*) AS n FROM quiet GROUP BY a", start=True) for i in range(count)]
        for each in started:
            server.wait(f"/jobs/{each['current_job_id']}", lambda j: j["stateDetail"] == "Running", 600)
        time.sleep(15)  # past what a start does
        pids = [server.process.pid, *server.workers()]
        assert len(pids) == count + 1, len(pids)
        before, begin = {pid: stat(pid)[2] for pid in pids}, time.monotonic()
        time.sleep(seconds)
        used = {pid: stat(pid)[2] - before[pid] for pid in pids}
        took = time.monotonic() - begin
        own = used.pop(server.process.pid)
        row(f"{count} idle pipelines: CPU of one core", f"{100 * (own + sum(used.values())) / took:.1f} % (server {100 * own / took:.1f} %, jobs {100 * sum(used.values()) / took:.1f} %)", "< 2 %")
        figures = [memory_mb(pid) for pid in used]
        for name, goal in (("Rss", "< 40 MB"), ("Pss", ""), ("Private_Dirty", "")):
            row(f"{name} of a job process, median of {count}", f"{statistics.median(f[name] for f in figures):.1f} MB", goal)


def memory(binary):
    with Server(binary) as server:
        job = server.pipeline("p", impulse(1000) + "SELECT counter % 100 AS k, count(*) AS n FROM i GROUP BY counter % 100", start=True)["current_job_id"]
        server.wait(f"/jobs/{job}", lambda j: j["stateDetail"] == "Running")
        time.sleep(5)
        [pid] = server.workers()
        figures = memory_mb(pid)
        row("one running job: Rss, Pss, private and dirty", f"{figures['Rss']:.1f}, {figures['Pss']:.1f}, {figures['Private_Dirty']:.1f} MB", "< 40 MB Rss")


def start(binary, rounds=15):
    with Server(binary) as server:
        times = []
        for i in range(rounds):
            pipeline = server.pipeline(f"p{i}", impulse(1000) + "SELECT counter FROM i")
            begin = time.monotonic()
            job = server.call("POST", f"/pipelines/{pipeline['id']}/start")["job_id"]
            while server.call("GET", f"/jobs/{job}/output")["total_records"] == 0:
                time.sleep(0.002)
            times.append(1000 * (time.monotonic() - begin))
            server.call("POST", f"/jobs/{job}/stop", {"mode": "force"})
            server.wait(f"/jobs/{job}", lambda j: j["stateDetail"] == "Stopped")
        row("POST start to the first row out, median and worst", f"{statistics.median(times):.0f}, {max(times):.0f} ms", "< 500 ms")


def requests(binary, rate=1000, seconds=20, connections=8):
    """Mixed reads at a fixed rate; a late request counts from when it was due."""
    with Server(binary) as server:
        pipelines = [server.pipeline(f"p{i}", impulse(10) + "SELECT counter FROM i") for i in range(50)]
        job = server.pipeline("busy", impulse(20_000) + "SELECT counter % 1000 AS k, count(*) AS n FROM i GROUP BY counter % 1000", start=True)["current_job_id"]
        server.wait(f"/jobs/{job}", lambda j: j["stateDetail"] == "Running")
        paths = ["/pipelines", f"/pipelines/{pipelines[0]['id']}", f"/jobs/{job}", f"/jobs/{job}/metrics", f"/jobs/{job}/operators", "/jobs", "/connection_tables", "/ping", f"/jobs/{job}/logs"]
        begin, lock, latencies = time.monotonic() + 0.5, threading.Lock(), []

        def client(number):
            connection = http.client.HTTPConnection(server.host.hostname, server.host.port, timeout=60)
            own = []
            for i in range(number, rate * seconds, connections):
                due = begin + i / rate
                time.sleep(max(0, due - time.monotonic()))
                server.call("GET", paths[i % len(paths)], connection=connection)
                own.append(1000 * (time.monotonic() - due))
            with lock:
                latencies.extend(own)

        cpu, at = stat(server.process.pid)[2], time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(connections) as pool:
            list(pool.map(client, range(connections)))
        took = time.monotonic() - at
        latencies.sort()
        row(f"{len(latencies) / (time.monotonic() - begin):.0f} reads/s beside a job: p50, p99, worst", f"{latencies[len(latencies) // 2]:.1f}, {latencies[len(latencies) * 99 // 100]:.1f}, {latencies[-1]:.1f} ms", f"{rate}/s, p99 < 20 ms")
        row("server's CPU for that", f"{100 * (stat(server.process.pid)[2] - cpu) / took:.0f} % of a core", "")


def lists(binary, count=1000):
    with Server(binary) as server:
        for i in range(count):
            server.pipeline(f"p{i}", impulse(10) + "SELECT counter, counter * 2 AS twice FROM i WHERE counter > 5")
        for path in ("/pipelines", "/pipelines?limit=100", "/pipelines?limit=100&include=summary", "/pipelines?limit=100&sort=name&name=p*9"):
            times = []
            for _ in range(20):
                begin = time.monotonic()
                server.call("GET", path)
                times.append(1000 * (time.monotonic() - begin))
            row(f"GET {path} of {count} pipelines, median and worst", f"{statistics.median(times):.1f}, {max(times):.1f} ms", "< 50 ms")
        begin = time.monotonic()
        for offset in range(0, count, 100):
            server.call("GET", f"/pipelines?limit=100&offset={offset}")
        row(f"all {count} of them, page by page", f"{1000 * (time.monotonic() - begin):.1f} ms", "")


def main():
    measures = {"start": start, "memory": memory, "requests": requests, "list": lists, "idle": idle}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", default="build/release/laminar")
    parser.add_argument("measures", nargs="*", choices=[*measures, []], default=[])
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n\n| measure | figure | goal |\n| --- | --- | --- |")
    for name in arguments.measures or measures:
        measures[name](str(pathlib.Path(arguments.laminar).resolve()))


if __name__ == "__main__":
    main()
