"""Workers and the server are killed at random while a script creates, starts, stops, restarts, rescales, saves and deletes
pipelines; then metadata, processes, state and outputs agree, and no job ran twice.

  LAMINAR_FAULT_SECONDS=600 LAMINAR_FAULT_SEED=7 pytest tests/api/test_faults.py    longer, another order of events
"""

import contextlib
import http.client
import json
import os
import random
import signal
import threading
import time

import pytest

from conftest import impulse
from test_jobs import process, workers

SECONDS = float(os.environ.get("LAMINAR_FAULT_SECONDS", "60"))
ROWS = 3000


class Away(Exception):
    """The server went away in the middle of a request: it may have acted or not."""


def runs_in_order(folder):
    """Whether each run of a job sealed the state before it wrote, and none wrote after its successor had sealed it."""
    seen = []
    for path in sorted((folder / "manifests").iterdir()):
        with contextlib.suppress(ValueError, FileNotFoundError):  # retired meanwhile; a checksum follows the JSON
            manifest = json.loads(path.read_text().rpartition("xxh3 ")[0])
            if seen and seen[-1] == manifest["run"]:
                assert manifest["kind"] != "seal", (folder, manifest)
                continue
            assert manifest["run"] not in seen, f"a run wrote after another had taken over: {folder}"
            seen.append(manifest["run"])
    return seen


def ask(server, method, path, body=None):
    try:
        return server.request(method, path, body)
    except (OSError, http.client.HTTPException):
        raise Away


def savepoint(server, pipeline):
    job = ask(server, "GET", pipeline).json["current_job_id"]
    return ask(server, "POST", f"/jobs/{job}/checkpoints", {"type": "savepoint"}) if job else None


@pytest.mark.parametrize("seed", [int(os.environ.get("LAMINAR_FAULT_SEED", "1"))])
def test_random_kills(server, tmp_path, seed):
    draw = random.Random(seed)
    (tmp_path / "out").mkdir()
    made = 0
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        act = draw.choice(["create", "create", "start", "start", "stop", "restart", "rescale", "savepoint", "delete", "kill worker", "kill worker", "kill server"])
        if act == "kill server":  # in the middle of whatever comes next
            threading.Timer(draw.uniform(0, 0.1), server.process.kill).start()
            continue
        if act == "kill worker":
            running = workers(server)
            if running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(draw.choice(running), signal.SIGKILL)
            continue
        try:
            pipelines = ask(server, "GET", "/pipelines?limit=100").json["data"]
            if act == "create" and len(pipelines) < 6:
                made += 1
                path = tmp_path / "out" / f"o{made}.json"
                ask(server, "POST", "/connection_tables", {"name": f"snk{made}", "connector": "single_file", "config": {"path": str(path), "type": "sink"},
                                                          "schema": {"fields": [{"name": "n", "type": "BIGINT"}, {"name": "s", "type": "BIGINT"}]}})
                ask(server, "POST", "/pipelines", {"name": f"p{made}", "checkpoint_interval_micros": 1_000_000, "start": True,
                                                  "query": impulse(1000, ROWS) + f"INSERT INTO snk{made} SELECT CAST(counter AS BIGINT) AS n, CAST(subtask_index AS BIGINT) AS s FROM impulse"})
            elif pipelines:
                target = "/pipelines/" + draw.choice(pipelines)["id"]
                answer = {"start": lambda: ask(server, "POST", target + "/start"),
                          "stop": lambda: ask(server, "POST", target + "/stop", {"mode": draw.choice(["checkpoint", "graceful", "immediate", "force"])}),
                          "restart": lambda: ask(server, "POST", target + "/restart", {"force": draw.choice([True, False])}),
                          "rescale": lambda: ask(server, "PATCH", target, {"parallelism": draw.choice([1, 2])}),
                          "savepoint": lambda: savepoint(server, target),
                          "delete": lambda: ask(server, "DELETE", target + "?force=true")}.get(act, lambda: None)()
                assert answer is None or answer.status < 500 or answer.status == 503, answer
        except Away:
            assert server.process.wait(timeout=10) == -signal.SIGKILL, "the server only goes when it is killed"
            server.stop()
            server.start()
    server.stop(signal.SIGKILL)
    server.start()
    for pipeline in server.ok("/pipelines?limit=100")["data"]:
        for _ in range(20):  # to its end, from wherever it was left
            job = server.ok(f"/pipelines/{pipeline['id']}")["current_job_id"]
            if job:
                server.wait(f"/jobs/{job}", lambda j: j["stateDetail"] in ("Finished", "Stopped", "Failed"), 120)
                if server.ok(f"/jobs/{job}")["stateDetail"] == "Finished":
                    break
            server.post(f"/pipelines/{pipeline['id']}/start")
        shown = server.ok(f"/jobs/{server.ok('/pipelines/' + pipeline['id'])['current_job_id']}")
        assert shown["stateDetail"] == "Finished", shown
        path = tmp_path / "out" / f"o{pipeline['name'][1:]}.json"
        rows = sorted((row["s"], row["n"]) for row in map(json.loads, path.read_text().splitlines()))
        counters = max(s for s, _ in rows) + 1  # one for each subtask of the first run
        assert rows == [(s, n) for s in range(counters) for n in range(ROWS)], (seed, pipeline["name"])
        assert runs_in_order(server.data_dir / "checkpoints" / pipeline["id"])
    assert workers(server) == []
    tables = {t["name"] for t in server.ok("/connection_tables?limit=100")["data"]}
    for pipeline in server.ok("/pipelines?limit=100")["data"]:
        assert "snk" + pipeline["name"][1:] in tables
    jobs = server.ok("/jobs?limit=100")["data"]
    assert {j["pipeline_id"] for j in jobs} <= {p["id"] for p in server.ok("/pipelines?limit=100")["data"]}
    assert process(server.process.pid)
    known = {p["id"] for p in server.ok("/pipelines?limit=100")["data"]}
    server.stop(signal.SIGKILL)
    server.start()  # what a server left that was killed within a deletion goes at the next start
    for kind, name in (("checkpoints", lambda p: p.name), ("locks", lambda p: p.stem)):
        assert {name(path) for path in (server.data_dir / kind).iterdir()} <= known, kind
    assert {p.stem for p in (server.data_dir / "logs").iterdir()} <= {j["id"] for j in server.ok("/jobs?limit=100")["data"]}
