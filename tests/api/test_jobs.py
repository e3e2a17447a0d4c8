"""Jobs: their pages, stop modes, restart, rescale, recovery, and what a killed server leaves."""

import json
import os
import signal
import time

import pytest

from conftest import impulse


def start(server, query=impulse(100) + "SELECT counter FROM impulse", name="p", **body):
    pipeline = server.created("/pipelines", {"name": name, "query": query, **body})
    answer = server.post(f"/pipelines/{pipeline['id']}/start")
    assert answer.status == 202, answer
    server.wait_state(answer.json["job_id"], "Running", "Finished")
    return pipeline["id"], answer.json["job_id"]


def process(pid):
    """State and parent of a process that is there and no zombie; None otherwise."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            state, parent = stat.read().rsplit(")", 1)[1].split()[:2]
    except OSError:
        return None
    return None if state == "Z" else (state, int(parent))


def workers(server):
    """Process ids of the server's children."""
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and (process(pid) or (0, 0))[1] == server.process.pid]


def test_pages(server):
    pipeline, job = start(server)
    shown = server.wait(f"/jobs/{job}", lambda j: j["metrics"]["records_out"] > 0)
    assert shown["pipeline_id"] == pipeline and shown["running_desired"] is True and shown["tasks"] >= 2
    assert set(shown["metrics"]) == {"records_in", "records_out", "bytes_in", "bytes_out", "errors", "warnings"}
    metrics = server.ok(f"/jobs/{job}/metrics?window_seconds=10")
    for name in ("late_records", "latency_p50", "latency_p95", "latency_p99", "throughput", "backpressure", "state_bytes", "watermark"):
        assert name in metrics
    groups = server.ok(f"/jobs/{job}/metric-groups")
    assert groups["sources"]["total_records"] > 0 and groups["sinks"]["operators"][0]["operator_id"] == "sink_1"
    operators = server.ok(f"/jobs/{job}/operators")
    assert operators["data"][0]["operator_id"] == "source_1" and operators["has_more"] is False
    assert server.get(f"/jobs/{job}/operators/source_9/metrics").error == "NOT_FOUND"
    assert "lag" in server.ok(f"/jobs/{job}/operators/source_1/metrics")
    assert server.ok(f"/jobs/{job}/checkpoints")["data"] == []
    assert server.get(f"/jobs/{job}/checkpoints/chk_0000000000").error == "NOT_FOUND"
    logs = server.ok(f"/jobs/{job}/logs")["data"]
    assert any("Running" in line["message"] for line in logs) and logs == sorted(logs, key=lambda line: line["timestamp"])
    assert server.ok(f"/jobs/{job}/events")["data"][0]["event"] == "state"
    assert server.ok(f"/jobs/{job}/watermarks")["operators"]
    assert server.wait(f"/jobs/{job}/metrics/history", lambda h: h["times"])["series"]["rate_out"]
    assert server.ok("/jobs?running=true")["meta"]["total"] == 1 and server.ok("/jobs?state=failed")["data"] == []
    assert server.ok(f"/pipelines/{pipeline}/jobs")["data"][0]["id"] == job
    assert server.ok(f"/pipelines/{pipeline}/jobs/{job}/metrics")["records_in"] >= 0
    other = server.created("/pipelines", {"name": "other", "query": impulse() + "SELECT counter FROM impulse"})
    assert server.get(f"/pipelines/{other['id']}/jobs/{job}/metrics").error == "NOT_FOUND"
    assert server.get("/jobs/job_0000000000").error == "NOT_FOUND"
    assert f'job="{job}"' in server.get("/metrics", base="").text


@pytest.mark.parametrize("mode", ["checkpoint", "graceful", "immediate", "force"])
def test_stop_modes(server, mode):
    pipeline, job = start(server)
    answer = server.post(f"/pipelines/{pipeline}/stop", {"mode": mode})
    assert answer.status == 202 and answer.json["expected_finish_time"] > 0
    assert server.wait_state(job, "Stopped")["state"] == "Stopped"
    assert server.ok(f"/pipelines/{pipeline}")["state"] == "Stopped" and workers(server) == []
    assert server.post(f"/pipelines/{pipeline}/stop").error == "INVALID_STATE"


def test_stop_by_default_and_bad_modes(server):
    _, job = start(server)
    assert server.post(f"/jobs/{job}/stop", {"mode": "gently"}).status == 400
    assert server.post(f"/jobs/{job}/stop", {"mode": "none"}).status == 400
    assert server.post(f"/jobs/{job}/stop").status == 202
    server.wait_state(job, "Stopped")


def test_stop_before_it_runs(server):
    pipeline = server.created("/pipelines", {"name": "p", "query": impulse() + "SELECT counter FROM impulse", "start": True})
    server.post(f"/pipelines/{pipeline['id']}/stop", {"mode": "immediate"})
    server.wait_state(pipeline["current_job_id"], "Stopped")


def test_restart(server):
    pipeline, job = start(server)
    answer = server.post(f"/jobs/{job}/restart")
    assert answer.status == 202 and answer.json["message"] == "Job restarted"
    second = server.wait_state(answer.json["new_job_id"], "Running")
    assert second["run_id"] == 2 and server.ok(f"/jobs/{job}")["stateDetail"] == "Stopped"
    forced = server.post(f"/pipelines/{pipeline}/restart", {"force": True, "parallelism": 2})
    assert forced.status == 202 and forced.json["message"] == "Pipeline restart initiated"
    third = server.wait_state(forced.json["job_id"], "Running")
    assert third["parallelism"] == 2 and third["run_id"] == 3 and len(workers(server)) == 1
    assert server.ok(f"/pipelines/{pipeline}")["current_job_id"] == third["id"]


def test_rescale_keeps_the_job(server):
    pipeline, job = start(server)
    assert server.post(f"/jobs/{job}/rescale", {"parallelism": 0}).status == 400
    assert server.patch(f"/pipelines/{pipeline}", {"parallelism": 2}).json["parallelism"] == 2
    server.wait(f"/jobs/{job}/operators", lambda o: o["data"][0]["parallelism"] == 2)
    assert server.wait_state(job, "Running")["parallelism"] == 2
    events = [e["event"] for e in server.ok(f"/jobs/{job}/events?limit=100")["data"]]
    assert "rescale" in events


def test_events_name_who_caused_them(start_server):
    server = start_server(environment={"LAMINAR_API_TOKENS": "ann:write:annsecret,bob:write:bobsecret"})
    server.token = "annsecret"
    pipeline, job = start(server)

    def as_bob(path, body=None):
        answer = server.post(path, body, headers={"Authorization": "Bearer bobsecret"})
        assert answer.status == 202, answer
        return answer.json

    def events(of):
        page = server.ok(f"/jobs/{of}/events?limit=100")["data"][::-1]
        assert len({e["id"] for e in page}) == len(page)
        return [(e["event"], e["description"], e["actor"]) for e in page]

    assert server.ok(f"/jobs/{job}")["started_by"] == "ann"
    assert events(job)[0] == ("start", "start asked for", "ann") and ("state", "Running", "ann") in events(job)
    os.kill(workers(server)[0], signal.SIGKILL)
    server.wait(f"/jobs/{job}", lambda j: j["restarts"] == 1 and j["stateDetail"] == "Running")
    recovered = events(job)[len([e for e in events(job) if e[2] == "ann"]):]
    assert [e[0] for e in recovered][:2] == ["recovering", "state"] and {e[2] for e in recovered} == {"server"}
    as_bob(f"/jobs/{job}/rescale", {"parallelism": 2})
    server.wait(f"/jobs/{job}/operators", lambda o: o["data"][0]["parallelism"] == 2)
    server.wait_state(job, "Running")
    assert ("rescale", "parallelism 1 to 2", "bob") in events(job) and events(job)[-1] == ("state", "Running", "bob")
    second = as_bob(f"/jobs/{job}/restart")["new_job_id"]
    server.wait_state(second, "Running")
    assert events(job)[-1] == ("state", "Stopped", "bob") and ("stop", "stop asked for: checkpoint", "bob") in events(job)
    assert events(second)[0] == ("start", f"restart of {job}", "bob")
    server.post(f"/jobs/{second}/checkpoints")
    server.wait(f"/jobs/{second}/events", lambda p: any((e["event"], e["actor"]) == ("checkpoint", "ann") for e in p["data"]))
    server.stop(signal.SIGKILL)
    server.start()
    server.wait_state(second, "Running")
    assert ("recovering", "the server was restarted", "server") in events(second)
    page = server.ok(f"/jobs/{second}/events?limit=2")
    assert page["has_more"] and server.ok(f"/jobs/{second}/events?limit=2&starting_after={page['data'][-1]['id']}")["data"]


def test_without_tokens_nobody_is_named(server):
    _, job = start(server, impulse(0, 10) + "SELECT counter FROM impulse")
    server.wait_state(job, "Finished")
    actors = {e["description"]: e["actor"] for e in server.ok(f"/jobs/{job}/events?limit=100")["data"]}
    assert actors["start asked for"] == actors["Compiling"] == "anonymous" and actors["Finished"] == "server"


def test_rescale_while_rows_flow(server, tmp_path):
    """Nothing is lost, nothing comes twice, and the successor has planned before its predecessor is asked to stop."""
    (pipeline, job), out = counting(server, tmp_path, rows=10000)
    server.wait(f"/jobs/{job}/metrics", lambda m: m["records_out"] > 100)
    for parallelism in (2, 3, 1):
        server.patch(f"/pipelines/{pipeline}", {"parallelism": parallelism})
        server.wait(f"/jobs/{job}", lambda j: j["stateDetail"] == "Running" and j["parallelism"] == parallelism and j["restored_from"])
        server.wait(f"/jobs/{job}/operators", lambda o: o["data"][0]["parallelism"] == parallelism)
    times = [line["details"] for line in server.ok(f"/jobs/{job}/logs?limit=100")["data"] if line["message"] in ("started", "stopped")]
    for stopped in (line for line in times if "asked_ms" in line):
        [started] = [line for line in times if line.get("told_ms", 0) >= stopped["closed_ms"] and line["described_ms"] <= stopped["asked_ms"]]
        assert started["described_ms"] <= started["planned_ms"] <= stopped["asked_ms"] <= stopped["written_ms"] <= stopped["closed_ms"] <= started["told_ms"]
    server.wait_state(job, "Finished")
    assert numbers(out) == list(range(10000)) and server.ok(f"/jobs/{job}")["restarts"] == 0 and workers(server) == []


def test_rescale_of_state_that_changes(server):
    """A successor restores a checkpoint beside its predecessor, then only what has changed since: results are those of one process."""
    rows, keys = 20000, 50
    query = impulse(2000, rows) + f"""CREATE VIEW pairs AS SELECT l.counter AS c FROM impulse l JOIN impulse r ON l.counter = r.counter;
        SELECT c % {keys} AS k, count(*) AS n, sum(c) AS s, max(c) AS m FROM pairs GROUP BY c % {keys}"""
    pipeline, job = start(server, query, checkpoint_interval_micros=1_000_000)
    for parallelism in (2, 1, 3):
        epochs = len(server.ok(f"/jobs/{job}/checkpoints?limit=100")["data"])
        server.wait(f"/jobs/{job}/checkpoints?limit=100", lambda c: len(c["data"]) > epochs)
        server.patch(f"/pipelines/{pipeline}", {"parallelism": parallelism})
        server.wait(f"/jobs/{job}", lambda j: j["stateDetail"] == "Running" and j["parallelism"] == parallelism)
    server.wait_state(job, "Finished")
    last = {row["record"]["k"]: row["record"] for row in server.ok(f"/jobs/{job}/output?limit=10000")["data"] if row["op"] != "d"}
    assert last == {k: {"k": k, "n": rows // keys, "s": sum(range(k, rows, keys)), "m": rows - keys + k} for k in range(keys)}
    started = [line["details"] for line in server.ok(f"/jobs/{job}/logs?limit=100")["data"] if line["message"] == "started"]
    assert [line.get("restored_ahead", 0) > 0 for line in started] == [False, True, True, True]


def test_rescale_whose_successor_dies(server, tmp_path):
    (pipeline, job), out = counting(server, tmp_path, rows=4000)
    [worker] = workers(server)
    server.patch(f"/pipelines/{pipeline}", {"parallelism": 2})
    deadline = time.monotonic() + 60
    while not (others := set(workers(server)) - {worker}):
        assert time.monotonic() < deadline
    os.kill(others.pop(), signal.SIGKILL)
    server.wait(f"/jobs/{job}/operators", lambda o: o["data"][0]["parallelism"] == 2)
    server.wait_state(job, "Finished")
    assert numbers(out) == list(range(4000))


def test_stop_while_the_successor_plans(server):
    pipeline, job = start(server)
    server.patch(f"/pipelines/{pipeline}", {"parallelism": 2})
    server.post(f"/jobs/{job}/stop", {"mode": "checkpoint"})
    server.wait_state(job, "Stopped")
    assert workers(server) == []


def test_user_error_fails_at_once(server, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"a": 1}\nnot json\n')
    server.created("/connection_tables", {"name": "src", "connector": "single_file", "config": {"path": str(bad), "type": "source"},
                                          "schema": {"fields": [{"name": "a", "type": "INT"}]}})
    pipeline = server.created("/pipelines", {"name": "p", "query": "SELECT a FROM src", "start": True})
    job = server.wait_state(pipeline["current_job_id"], "Failed")
    assert job["state"] == "Failed" and job["failure_message"] and job["failure_reason"]["domain"] == "user" and job["restarts"] == 0
    errors = server.ok(f"/jobs/{job['id']}/errors")["data"]
    assert errors[0]["level"] == "error" and errors[0]["count"] == 1 and errors[0]["operator_id"].startswith("transform")
    assert server.ok(f"/pipelines/{pipeline['id']}")["state"] == "Failed"
    assert server.post(f"/pipelines/{pipeline['id']}/start").status == 202, "a failed pipeline can be started again"


def test_a_killed_worker_recovers(server):
    pipeline, job = start(server)
    [worker] = workers(server)
    os.kill(worker, signal.SIGKILL)
    shown = server.wait(f"/jobs/{job}", lambda j: j["restarts"] == 1 and j["stateDetail"] == "Running")
    assert shown["id"] == job and shown["state"] == "Running"
    [successor] = workers(server)
    assert successor != worker
    errors = server.ok(f"/jobs/{job}/errors")["data"]
    assert "signal 9" in errors[0]["message"]
    details = [e["details"].get("stateDetail") for e in server.ok(f"/jobs/{job}/events?limit=100")["data"]]
    assert "Recovering" in details


def test_one_job_does_not_touch_another(server):
    _, first = start(server, name="first")
    _, second = start(server, name="second")
    before = server.ok(f"/jobs/{second}")
    os.kill(workers(server)[0], signal.SIGABRT)
    server.wait("/jobs", lambda page: sum(j["restarts"] for j in page["data"]) == 1 and all(j["stateDetail"] == "Running" for j in page["data"]))
    assert len(workers(server)) == 2 and before["state"] == "Running"


def test_a_hanging_worker_is_replaced(start_server):
    server = start_server(environment={"LAMINAR__PIPELINE__WORKER_TIMEOUT": "3s"})
    _, job = start(server)
    [worker] = workers(server)
    os.kill(worker, signal.SIGSTOP)
    server.wait(f"/jobs/{job}", lambda j: j["restarts"] == 1 and j["stateDetail"] == "Running")


def test_too_many_restarts_fail(start_server):
    server = start_server(environment={"LAMINAR__PIPELINE__ALLOWED_RESTARTS": "1"})
    _, job = start(server)
    os.kill(workers(server)[0], signal.SIGKILL)
    server.wait(f"/jobs/{job}", lambda j: j["restarts"] == 1 and j["stateDetail"] == "Running")
    os.kill(workers(server)[0], signal.SIGKILL)
    assert "gave up" in server.wait_state(job, "Failed")["failure_message"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_ends_leaves_nothing_behind(server, how):
    pipeline, job = start(server)
    children = workers(server)
    server.stop(how)
    server.start()
    shown = server.wait(f"/jobs/{job}", lambda j: j["stateDetail"] == "Running" and j["restarts"] == 1)
    assert shown["pipeline_id"] == pipeline and len(workers(server)) == 1 and workers(server) != children
    for child in children:
        assert process(child) is None, "the old worker ended with its server"
    assert any("restarted" in (e["description"] or "") for e in server.ok(f"/jobs/{job}/events?limit=100")["data"])


def test_objects_survive_a_killed_server(server):
    server.created("/connection_profiles", {"name": "k", "connector": "kafka", "config": {"bootstrapServers": "a"}})
    server.created("/pipelines", {"name": "p", "query": impulse() + "SELECT counter FROM impulse"})
    before = [server.ok(path) for path in ("/connection_profiles", "/pipelines", "/connection_tables", "/jobs")]
    server.stop(signal.SIGKILL)
    server.start()
    assert [server.ok(path) for path in ("/connection_profiles", "/pipelines", "/connection_tables", "/jobs")] == before


def test_finished_metrics_and_errors_survive(server):
    pipeline, job = start(server, impulse(0, 500) + "SELECT counter FROM impulse")
    server.wait_state(job, "Finished")
    metrics = server.ok(f"/jobs/{job}/metrics")
    assert metrics["records_in"] == 500
    server.wait(f"/jobs/{job}/events", lambda e: e["data"])
    server.stop()
    server.start()
    assert server.ok(f"/jobs/{job}/metrics")["records_in"] == 500
    assert server.ok(f"/jobs/{job}/logs")["data"] != []


def test_output_stream_and_resume(server):
    _, job = start(server, impulse(0, 3000) + "SELECT counter FROM impulse")
    server.wait_state(job, "Finished")
    events = server.events(f"/jobs/{job}/output")
    rows = [r["record"]["counter"] for name, data, _ in events if name == "output" for r in data["records"]]
    assert rows == list(range(3000)) and events[-1][0] == "end" and events[-1][1]["reason"] == "finished"
    middle = events[len(events) // 2][2]
    rest = server.events(f"/jobs/{job}/output", headers={"Last-Event-ID": str(middle)})
    assert [n for _, _, n in rest if n] == [n for _, _, n in events if n and n > middle]


def test_secrets_reach_the_job_and_nothing_else(start_server, tmp_path):
    source = tmp_path / "topsecretvalue.json"
    source.write_text('{"a": 1}\n')
    server = start_server(environment={"SECRET_PATH": str(source)})
    server.created("/connection_tables", {"name": "src", "connector": "single_file", "config": {"path": "{{ SECRET_PATH }}", "type": "source"},
                                          "schema": {"fields": [{"name": "a", "type": "INT"}]}})
    _, job = start(server, "SELECT a FROM src")
    server.wait_state(job, "Finished")
    assert server.ok(f"/jobs/{job}/output")["data"][0]["record"] == {"a": 1}
    source.unlink()
    pipeline = server.created("/pipelines", {"name": "q", "query": "SELECT a FROM src", "start": True})
    server.wait_state(pipeline["current_job_id"], "Failed")
    pages = "".join(server.get(f"/jobs/{pipeline['current_job_id']}{page}").text for page in ("", "/errors", "/logs", "/events", "/metrics"))
    assert "topsecretvalue" not in pages and "********" in pages
    unknown = server.created("/connection_tables", {"name": "nope", "connector": "single_file", "config": {"path": "{{ NOT_SET }}", "type": "source"},
                                                    "schema": {"fields": [{"name": "a", "type": "INT"}]}})
    pipeline = server.created("/pipelines", {"name": "r", "query": "SELECT a FROM nope", "start": True})
    assert "NOT_SET" in server.wait_state(pipeline["current_job_id"], "Failed")["failure_message"]
    own = server.created("/pipelines", {"name": "s", "query": "SELECT a FROM nope", "env_vars": {"NOT_SET": str(tmp_path / "x.json")}})
    (tmp_path / "x.json").write_text('{"a": 5}\n')
    assert unknown["config"]["path"] == "{{ NOT_SET }}"
    job = server.post(f"/pipelines/{own['id']}/start").json["job_id"]
    server.wait_state(job, "Finished")
    assert server.ok(f"/jobs/{job}/output")["data"][0]["record"] == {"a": 5}


def numbers(path):
    return [json.loads(line)["n"] for line in path.read_text().splitlines()] if path.exists() else []


def counting(server, tmp_path, rows=3000, rate=1000, **body):
    """A job that writes 0, 1, 2 … to a file, exactly once."""
    server.created("/connection_tables", {"name": "snk", "connector": "single_file", "config": {"path": str(tmp_path / "out.json"), "type": "sink"},
                                          "schema": {"fields": [{"name": "n", "type": "BIGINT"}]}})
    query = impulse(rate, rows) + "INSERT INTO snk SELECT CAST(counter AS BIGINT) AS n FROM impulse"
    return start(server, query, checkpoint_interval_micros=1_000_000, **body), tmp_path / "out.json"


def test_checkpoints_and_exactly_once_after_a_kill(server, tmp_path):
    (pipeline, job), out = counting(server, tmp_path, rows=5000)
    first = server.wait(f"/jobs/{job}/checkpoints", lambda c: c["data"])["data"][0]
    assert first["state"] == "completed" and first["type"] == "scheduled" and first["size_bytes"] > 0 and first["id"].startswith("chk_")
    whole = server.ok(f"/jobs/{job}/checkpoints/{first['id']}")
    assert whole["backend"] == "filesystem" and pipeline in whole["location"] and whole["events"]
    os.kill(workers(server)[0], signal.SIGKILL)
    shown = server.wait_state(job, "Finished")
    assert shown["restarts"] == 1 and shown["restored_from"]
    assert numbers(out) == list(range(5000))


def test_exactly_once_over_stop_rescale_and_server_kill(server, tmp_path):
    (pipeline, job), out = counting(server, tmp_path, rows=6000)
    server.wait(f"/jobs/{job}/metrics", lambda m: m["records_out"] > 500)
    server.post(f"/pipelines/{pipeline}/stop", {"mode": "checkpoint"})
    server.wait_state(job, "Stopped")
    kept = numbers(out)
    assert kept == list(range(len(kept))) and kept, "what was processed is committed"
    job = server.post(f"/pipelines/{pipeline}/start").json["job_id"]
    assert server.wait_state(job, "Running")["restored_from"]
    server.stop(signal.SIGKILL)
    server.start()
    server.wait_state(job, "Running", "Finished")
    manual = server.post(f"/jobs/{job}/checkpoints")
    assert manual.status in (202, 409)
    server.wait_state(job, "Finished")
    assert numbers(out) == list(range(6000))


def test_start_from_nothing_and_from_a_chosen_checkpoint(server, tmp_path):
    (pipeline, job), out = counting(server, tmp_path, rows=2000, rate=2000)
    server.wait_state(job, "Finished")
    assert numbers(out) == list(range(2000))
    checkpoints = server.ok(f"/jobs/{job}/checkpoints")["data"]
    assert checkpoints[0]["type"] == "stopping"
    unknown = server.post(f"/pipelines/{pipeline}/start", {"checkpoint_id": "chk_0000000000"})
    assert unknown.status == 404
    again = server.post(f"/pipelines/{pipeline}/start", {"checkpoint_id": checkpoints[0]["id"]}).json["job_id"]
    assert server.wait_state(again, "Finished")["restored_from"] == checkpoints[0]["id"]
    assert server.ok(f"/jobs/{again}/metrics")["records_in"] == 0, "the source was at its end"
    anew = server.post(f"/pipelines/{pipeline}/start", {"ignore_state": True}).json["job_id"]
    server.wait_state(anew, "Finished")
    assert server.ok(f"/jobs/{anew}/metrics")["records_in"] == 2000


def test_changed_interval_and_manual_checkpoint(server):
    pipeline, job = start(server)
    server.patch(f"/pipelines/{pipeline}", {"checkpoint_interval_micros": 1_000_000})
    server.wait(f"/jobs/{job}/checkpoints", lambda c: c["data"])
    server.patch(f"/pipelines/{pipeline}", {"checkpoint_interval_micros": 3_600_000_000})
    assert server.post(f"/jobs/{job}/checkpoints", {"type": "checkpoint"}).status == 202
    server.wait(f"/jobs/{job}/checkpoints", lambda c: any(x["type"] == "manual" for x in c["data"]))
    assert server.post(f"/jobs/{job}/checkpoints", {"type": "incremental"}).error == "VALIDATION_ERROR"
    changes = [e["description"] for e in server.ok(f"/jobs/{job}/events?limit=100")["data"] if e["event"] == "settings"]
    assert changes == ["checkpoint interval 1s to 1h", "checkpoint interval 10s to 1s"]


def test_live_events(server):
    pipeline, job = start(server)
    events = server.events(f"/events?topics=pipelines,job:{job},job:{job}:metrics", limit=4)
    kinds = [name for name, _, _ in events]
    assert kinds[0] == "snapshot" and {"job", "metrics"} <= set(kinds)
    seqs = [e[1]["seq"] for e in events]
    assert seqs == sorted(seqs) and events[0][1]["snapshot"] == "start" and "snapshot" not in events[-1][1]
    assert server.get("/events?topics=rivers").status == 400


def test_a_reader_of_events_that_comes_back_misses_nothing(server):
    topics = "/events?topics=pipelines,checkpoints,errors"
    first = server.events(topics, limit=3)
    assert [(name, data["topic"], data["snapshot"]) for name, data, _ in first] == [
        ("snapshot", "pipelines", "start"), ("snapshot", "checkpoints", "start"), ("snapshot", "errors", "start")]
    assert first[0][2] is None and first[2][2].endswith(f"-{first[2][1]['seq']}"), "only a whole snapshot counts as seen"
    # While nobody reads:
    pipeline, job = start(server, checkpoint_interval_micros=1_000_000)
    server.wait(f"/jobs/{job}/checkpoints", lambda c: c["data"])
    os.kill(workers(server)[0], signal.SIGKILL)
    server.wait(f"/jobs/{job}", lambda j: j["restarts"] == 1 and j["stateDetail"] == "Running")
    server.post(f"/jobs/{job}/stop", {"mode": "immediate"})
    server.wait_state(job, "Stopped")
    server.delete(f"/pipelines/{pipeline}")

    def until_deleted(last_id):
        out = []
        while not out or out[-1][0] != "deleted":
            out += server.events(topics, headers={"Last-Event-ID": out[-1][2] if out else last_id}, limit=1)
        return out

    missed = until_deleted(first[2][2])
    numbers = [data["seq"] for _, data, _ in missed]
    assert numbers == sorted(set(numbers)) and numbers[0] > first[2][1]["seq"]
    states = [data["data"]["stateDetail"] for name, data, _ in missed if name == "pipeline"]
    assert states[0] == "Created" and states[-1] == "Stopped"
    assert [s for s in states if s in ("Running", "Recovering")] == ["Running", "Recovering", "Running"]
    assert "checkpoint" in [name for name, _, _ in missed] and "worker process" in [d["data"]["message"] for name, d, _ in missed if name == "error"][0]
    assert missed[-1][1]["data"] == {"id": pipeline}
    [again] = [e for e in until_deleted(missed[-2][2])]
    assert again == missed[-1]
    # Of another run of the server, or too far back: from the start again, which says so.
    for last_id, reason in (("0123456789-7", "another_run"), ("nonsense", "another_run"), (f"{missed[-1][2].split('-')[0]}-5", "too_old")):
        [(name, data, _)] = server.events(topics, headers={"Last-Event-ID": last_id}, limit=1)
        assert (name, data["snapshot"], data["data"]) == ("snapshot", reason, [])
    server.stop()
    server.start()
    [(name, data, number)] = server.events("/events", headers={"Last-Event-ID": missed[-1][2]}, limit=1)
    assert (name, data["snapshot"]) == ("snapshot", "another_run") and data["seq"] > missed[-1][1]["seq"], "numbers go on growing"
    _, job = start(server, name="q")
    live = server.events(f"/events?topics=job:{job}", headers={"Last-Event-ID": number}, limit=4)
    assert [d["data"]["stateDetail"] for _, d, _ in live] == ["Created", "Compiling", "Scheduling", "Running"]


def test_savepoints_are_kept_until_deleted(server, tmp_path):
    server.created("/connection_tables", {"name": "out", "connector": "single_file", "config": {"path": str(tmp_path / "out.json"), "type": "sink"},
                                          "schema": {"fields": [{"name": "n", "type": "BIGINT"}]}})
    pipeline, job = start(server, impulse(500) + "INSERT INTO out SELECT CAST(counter AS BIGINT) AS n FROM impulse", checkpoint_interval_micros=1_000_000)
    assert server.post(f"/jobs/{job}/checkpoints", {"type": "savepoint"}).status == 202

    def kinds(path=f"/jobs/{job}/checkpoints?limit=100"):
        return [c["type"] for c in server.ok(path)["data"]]

    server.wait(f"/jobs/{job}/checkpoints", lambda page: "savepoint" in [c["type"] for c in page["data"]])
    [savepoint] = [c for c in server.ok(f"/jobs/{job}/checkpoints")["data"] if c["type"] == "savepoint"]
    assert savepoint["state"] == "completed" and savepoint["start_time"] <= savepoint["finish_time"]
    for _ in range(14):  # more than retention keeps
        before = len(kinds()), server.ok(f"/jobs/{job}/checkpoints")["data"][0]["epoch"]
        server.post(f"/jobs/{job}/checkpoints")
        server.wait(f"/jobs/{job}/checkpoints", lambda page: page["data"][0]["epoch"] > before[1])
    assert kinds().count("savepoint") == 1 and len(kinds()) <= 11 and kinds(f"/pipelines/{pipeline}/checkpoints?limit=100") == kinds()
    server.post(f"/jobs/{job}/stop")
    server.wait_state(job, "Stopped")
    again = server.post(f"/pipelines/{pipeline}/start", {"checkpoint_id": savepoint["id"]}).json["job_id"]
    assert server.wait_state(again, "Running")["restored_from"] == savepoint["id"]
    manual = [c for c in server.ok(f"/pipelines/{pipeline}/checkpoints?limit=100")["data"] if c["type"] == "manual"][0]
    assert server.delete(f"/jobs/{job}/checkpoints/{manual['id']}").error == "INVALID_STATE"
    assert server.delete(f"/jobs/{job}/checkpoints/{savepoint['id']}").json == {"message": "Savepoint deleted successfully"}
    assert server.get(f"/jobs/{job}/checkpoints/{savepoint['id']}").error == "NOT_FOUND"
    assert not list((server.data_dir / "checkpoints" / pipeline / "savepoints").iterdir())


def test_failed_checkpoints_are_listed_and_made_good(server):
    pipeline, job = start(server, impulse(500) + "SELECT count(*) AS n FROM impulse GROUP BY subtask_index, counter % 100",
                          parallelism=2, checkpoint_interval_micros=1_000_000)
    page = f"/jobs/{job}/checkpoints?limit=100"
    server.wait(page, lambda p: p["data"])
    files = server.data_dir / "checkpoints" / pipeline / "data"
    aside = files.with_name("aside")
    files.rename(aside)
    files.write_text("no directory")
    assert server.post(f"/jobs/{job}/checkpoints", {"type": "savepoint"}).status == 202
    server.wait(page, lambda p: [c for c in p["data"] if (c["state"], c["type"]) == ("failed", "savepoint")])
    files.unlink()
    aside.rename(files)
    server.wait(page, lambda p: [c for c in p["data"] if (c["state"], c["type"]) == ("completed", "savepoint")])

    every = server.ok(page)["data"]
    [failed, *_] = [c for c in every if c["state"] == "failed" and c["type"] == "savepoint"]
    [savepoint] = [c for c in every if c["state"] == "completed" and c["type"] == "savepoint"]
    assert "data" in failed["failure_reason"] and failed["size_bytes"] == 0 and failed["start_time"] <= failed["finish_time"]
    assert savepoint["failure_reason"] is None and "subtask_states" not in savepoint["operator_states"][0]
    assert server.ok("/pipelines?include=summary")["data"][0]["summary"]["last_checkpoint"]["state"] == "completed"
    assert failed["id"] not in [c["id"] for c in server.ok(page + "&completed=true")["data"]]
    assert failed["id"] in [c["id"] for c in server.ok(page + "&completed=false")["data"]]
    assert "a checkpoint failed" in server.ok(f"/jobs/{job}/errors?level=warning")["data"][0]["message"]
    assert server.delete(f"/jobs/{job}/checkpoints/{failed['id']}").error == "INVALID_STATE"
    whole = server.ok(f"/jobs/{job}/checkpoints/{savepoint['id']}")
    assert whole["operator_states"] and all(
        sum(s["state_size"] for s in o["subtask_states"]) == o["state_size"] and [s["subtask_index"] for s in o["subtask_states"]] == [0, 1][:len(o["subtask_states"])]
        for o in whole["operator_states"]
    )
    [window] = [o for o in whole["operator_states"] if "aggregate" in o["operator_name"]]
    assert all(s["state_size"] > 0 for s in window["subtask_states"]), "a hundred keys lie in the key groups of both"

    server.post(f"/jobs/{job}/stop")
    server.wait_state(job, "Stopped")
    assert server.post(f"/pipelines/{pipeline}/start", {"checkpoint_id": failed["id"]}).error == "INVALID_STATE"
    again = server.post(f"/pipelines/{pipeline}/start").json["job_id"]
    assert server.wait_state(again, "Running")["restored_from"] not in [c["id"] for c in every if c["state"] == "failed"]


def test_metrics_from_samples(server, tmp_path):
    server.created("/connection_tables", {"name": "out", "connector": "single_file", "config": {"path": str(tmp_path / "out.json"), "type": "sink", "format": "debezium_json"}})
    _, job = start(server, impulse(2000) + "INSERT INTO out SELECT counter, count(*) AS n FROM impulse GROUP BY counter", checkpoint_interval_micros=1_000_000)
    metrics = server.wait(f"/jobs/{job}/metrics", lambda m: m["latency_p99"] is not None and m["state_bytes"])
    assert 0 <= metrics["latency_p50"] <= metrics["latency_p95"] <= metrics["latency_p99"] < 60_000, metrics
    assert metrics["bytes_out"] >= metrics["records_out"] * 10 > 0
    operators = {o["operator_id"]: o for o in metrics["operators"]}
    assert operators["sink_1"]["bytes_out"] == metrics["bytes_out"] and operators["sink_1"]["latency_p99"] is not None
    assert sum(o["state_bytes"] or 0 for o in operators.values()) == metrics["state_bytes"] > 1000
    source = server.ok(f"/jobs/{job}/operators/source_1/metrics")
    assert source["partitions"] == 1 and "lag" in source
    text = server.get("/metrics", base="").text
    for name in ("laminar_job_latency_ms", "laminar_operator_state_bytes", "laminar_operator_bytes_out_total", 'quantile="0.99"'):
        assert name in text
    assert server.wait(f"/jobs/{job}/metrics/history?names=bytes_out_rate", lambda h: h["times"])["series"]["bytes_out_rate"]
    summary = server.ok("/pipelines?include=summary&sort=throughput:desc")["data"][0]["summary"]
    assert len(summary["spark"]) == 60 and summary["throughput"] > 0 and summary["last_checkpoint"]["state"] == "completed"


def test_watermarks_name_the_split_that_holds_back(server, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, second in (("a", 1), ("b", 9)):
        (folder / f"{name}.json").write_text(json.dumps({"ts": f"2024-01-01T00:00:0{second}Z"}) + "\n")
    server.created("/connection_tables", {"name": "src", "connector": "filesystem", "config": {"path": str(folder), "type": "source", "scan_interval": "1s"},
                                          "schema": {"fields": [{"name": "ts", "type": "TIMESTAMP"}]}, "event_time_field": "ts", "watermark_delay": "0s"})
    _, job = start(server, "SELECT ts FROM src")
    page = server.wait(f"/jobs/{job}/watermarks", lambda w: w["operators"])
    assert all({"watermark", "subtasks", "splits"} <= set(o) for o in page["operators"])


def test_splits_tell_their_highest_event_time(server):
    _, job = start(server, "SET watermark_delay = INTERVAL '1' MINUTE;\n" + impulse(100) + "SELECT count(*) AS n FROM impulse GROUP BY TUMBLE(INTERVAL '1' SECOND)")

    def splits(page):
        return [s for o in page["operators"] for s in o["splits"] if s["watermark"] is not None]

    [split] = splits(server.wait(f"/jobs/{job}/watermarks", splits))
    assert split["last_event_time"] - split["watermark"] == 60_000 and abs(split["last_event_time"] - split["last_row_at"]) < 5_000
    assert split["lag"] is None, "no source knows how much it has not read yet"


def test_the_bad_record_is_shown(server, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"a": 1}\nnot json\n{"a": 2}\n')
    for name, policy in (("strict", "fail"), ("lenient", "drop")):
        server.created("/connection_tables", {"name": name, "connector": "single_file", "config": {"path": str(bad), "type": "source", "bad_data": policy},
                                              "schema": {"fields": [{"name": "a", "type": "INT"}]}})
    _, job = start_only(server, "SELECT a FROM strict", "p1")
    server.wait_state(job, "Failed")
    assert server.ok(f"/jobs/{job}/errors")["data"][0]["record"] == "not json"
    _, job = start_only(server, "SELECT a FROM lenient", "p2")
    server.wait_state(job, "Finished")
    [warning] = server.wait(f"/jobs/{job}/errors?level=warning", lambda page: page["data"])["data"]
    assert warning["record"] == "not json" and warning["count"] == 1 and warning["operator_id"]
    assert server.ok(f"/jobs/{job}")["metrics"]["warnings"] == 1


def start_only(server, query, name):
    pipeline = server.created("/pipelines", {"name": name, "query": query, "start": True})
    return pipeline["id"], pipeline["current_job_id"]


def test_what_a_worker_writes_to_stderr_is_in_its_log(start_server):
    server = start_server(environment={"MALLOC_CONF": "", "LD_DEBUG": "statistics"})  # the dynamic linker writes to stderr
    _, job = start(server)
    lines = server.wait(f"/jobs/{job}/logs?limit=100", lambda page: any(e["details"].get("stream") == "stderr" for e in page["data"]))["data"]
    assert any("relocation" in e["message"] for e in lines if e["details"].get("stream") == "stderr")


def test_secrets_for_options_that_are_numbers(start_server):
    server = start_server(environment={"RATE": "250", "COUNT": "500"})
    query = "CREATE TABLE i WITH (connector = 'impulse', event_rate = '{{ RATE }}', message_count = '{{COUNT}}');\nSELECT counter FROM i"
    _, job = start(server, query)
    assert server.wait_state(job, "Finished") and server.ok(f"/jobs/{job}/metrics")["records_in"] == 500
    pipeline = server.created("/pipelines", {"name": "missing", "query": query.replace("COUNT", "NOWHERE"), "start": True})
    assert "NOWHERE" in server.wait_state(pipeline["current_job_id"], "Failed")["failure_message"]


def test_exact_numbers_and_sampling_of_streams(server):
    query = "SELECT CAST(9007199254740993 AS BIGINT) AS big, CAST('12345678901234567890.0123456789' AS DECIMAL(38,10)) AS price, CAST(3 AS INT) AS small FROM impulse"
    _, job = start(server, impulse(0, 3) + query)
    server.wait_state(job, "Finished")
    page = server.get(f"/jobs/{job}/output?numbers=string").json["data"]
    assert page[0]["record"] == {"big": "9007199254740993", "price": "12345678901234567890.0123456789", "small": 3}
    assert '"price":12345678901234567890.0123456789' in server.get(f"/jobs/{job}/output").text.replace(" ", "")
    events = server.events(f"/jobs/{job}/output?numbers=string")
    assert [r["record"]["big"] for name, data, _ in events if name == "output" for r in data["records"]] == ["9007199254740993"] * 3
    assert "schema" in [name for name, _, _ in events]
    live = server.events("/pipelines/preview?max_rows_per_second=10", "POST", {"query": impulse(1000) + "SELECT counter FROM impulse", "limit": 3000})
    progress = [data for name, data, _ in live if name == "progress"]
    assert progress and progress[-1]["left_out"] > 0 and progress[-1]["sources"][0]["records"] > 0 and progress[0]["limit_left"] <= 3000
