"""Pipelines: create, check, change, preview."""

import json

import pytest

from conftest import impulse

COUNT = impulse(100) + "SELECT counter FROM impulse"


def test_create_and_show(server):
    answer = server.post("/pipelines", {"name": "p", "query": COUNT, "tags": {"teamName": "a"}, "env_vars": {"API_KEY": "value"}})
    assert answer.status == 201, answer
    made = answer.json
    assert made["state"] == made["stateDetail"] == "Created" and made["parallelism"] == 1 and made["checkpoint_interval_micros"] == 10_000_000
    assert made["action"] is None and made["action_in_progress"] is False and made["preview"] is False and made["current_job_id"] is None
    assert made["tags"] == {"teamName": "a"} and made["env_vars"] == {"API_KEY": "********"}
    assert isinstance(made["created_at"], int) and made["created_at"] > 1_600_000_000_000
    assert {n["kind"] for n in made["graph"]["nodes"]} >= {"source", "sink"}
    assert made["graph"]["nodes"][0]["operator_id"] == "source_1"
    edge = made["graph"]["edges"][0]
    assert set(edge) >= {"src_id", "dest_id", "key_type", "value_type", "edge_type"}
    assert "graph" not in server.ok("/pipelines")["data"][0]
    assert server.ok(f"/pipelines/{made['id']}")["graph"] == made["graph"]
    assert server.post("/pipelines", {"name": "P", "query": COUNT}).error == "ALREADY_EXISTS"
    assert server.created("/pipelines", {"name": "body", "query": impulse() + "CREATE PIPELINE in_query AS SELECT counter FROM impulse"})["name"] == "body"


@pytest.mark.parametrize("body", [
    {"name": "p"}, {"query": COUNT}, {"name": "p", "query": ""}, {"name": "p", "query": COUNT, "parallelism": 0}, {"name": "p", "query": COUNT, "parallelism": 129},
    {"name": "p", "query": COUNT, "parallelism": 1.5}, {"name": "p", "query": COUNT, "checkpoint_interval_micros": 1}, {"name": "p", "query": COUNT, "tags": {"a": 1}},
    {"name": "p", "query": "SELEC 1"}, {"name": "p", "query": "SELECT x FROM nothing"}, {"name": "p", "query": impulse() + "SELECT countr FROM impulse"},
])
def test_bad_pipelines(server, body):
    answer = server.post("/pipelines", body)
    assert answer.status == 400 and answer.error == "VALIDATION_ERROR", answer


def test_sql_errors_have_a_place(server):
    answer = server.post("/pipelines", {"name": "p", "query": impulse() + "SELECT countr FROM impulse"})
    details = answer.json["error"]["details"]
    assert (details["line"], details["column"]) == (2, 8) and details["reason_code"] == "UNKNOWN_COLUMN"
    assert details["errors"][0]["hint"] and "counter" in details["errors"][0]["hint"]


def test_validate_query(server):
    good = server.post("/pipelines/validate_query", {"query": COUNT}).json
    assert good["errors"] == [] and good["graph"]["nodes"] and good["outputs"][0]["sink"] is None
    assert good["outputs"][0]["schema"]["fields"][0]["name"] == "counter" and good["outputs"][0]["updating"] is False
    bad = server.post("/pipelines/validate_query", {"query": "SELECT *\nFROM nothing"})
    assert bad.status == 200 and bad.json["graph"] is None and len(bad.json["errors"]) == 1
    diagnostic = bad.json["diagnostics"][0]
    assert (diagnostic["severity"], diagnostic["code"], diagnostic["line"], diagnostic["column"]) == ("error", "UNKNOWN_TABLE", 2, 6)
    assert "physical" in server.post("/pipelines/validate_query", {"query": COUNT, "explain": True}).json["plan"].lower()
    assert server.post("/pipelines/validate_query", {"query": ""}).json["errors"]


def test_change(server):
    path = "/pipelines/" + server.created("/pipelines", {"name": "p", "query": COUNT})["id"]
    changed = server.patch(path, {"parallelism": 2, "checkpointIntervalMicros": 2_000_000, "tags": {"a": "b"}}).json
    assert (changed["parallelism"], changed["checkpoint_interval_micros"], changed["tags"]) == (2, 2_000_000, {"a": "b"})
    assert server.patch(path, {"query": "SELECT 1 FROM nothing"}).status == 400
    other = impulse(10) + "SELECT counter + 1 AS c FROM impulse"
    assert server.patch(path, {"query": other}).json["query"] == other
    assert [v["version"] for v in server.ok(path + "/versions")["data"]] == [2, 1]
    started = server.patch(path, {"stop": "none"}).json
    assert started["current_job_id"]
    server.wait_state(started["current_job_id"], "Running")
    refused = server.patch(path, {"query": COUNT})
    assert refused.status == 409 and refused.error == "INVALID_STATE" and refused.json["error"]["details"]["state"] == "Running"
    stopping = server.patch(path, {"stop": "graceful"})
    assert stopping.status == 200
    server.wait_state(started["current_job_id"], "Stopped")


def test_filters(server):
    for name in ("alpha", "beta"):
        server.created("/pipelines", {"name": name, "query": COUNT, "tags": {"team": name}})
    assert [p["name"] for p in server.ok("/pipelines?name=AL*")["data"]] == ["alpha"]
    assert [p["name"] for p in server.ok("/pipelines?tag=team:beta")["data"]] == ["beta"]
    assert len(server.ok("/pipelines?state=created,failed")["data"]) == 2 and server.ok("/pipelines?state=running")["data"] == []
    assert server.get("/pipelines?state=sleepy").status == 400
    assert server.ok("/pipelines?include=summary")["data"][0]["summary"] is None


def test_lists_sorted_by_figures(server):
    idle = server.created("/pipelines", {"name": "never started", "query": COUNT})["name"]
    for name, rate, delay in (("slow", 10, "1 minute"), ("fast", 2000, "1 hour")):
        query = f"SET watermark_delay = INTERVAL '{delay.split()[0]}' {delay.split()[1]};\n" + impulse(rate) + "SELECT count(*) AS n FROM impulse GROUP BY TUMBLE(INTERVAL '1' SECOND)"
        made = server.created("/pipelines", {"name": name, "query": query, "start": True})
        server.wait_state(made["current_job_id"], "Running")

    def names(query):
        return [p["name"] for p in server.ok("/pipelines?" + query)["data"]]

    server.wait("/pipelines?include=summary", lambda page: all(
        p["summary"]["throughput"] and p["summary"]["watermark_lag_ms"] for p in page["data"] if p["name"] != idle))
    assert names("sort=throughput:desc") == ["fast", "slow", idle] and names("sort=throughput") == ["slow", "fast", idle]
    for field in ("watermark_lag", "watermark_lag_ms"):
        assert names(f"sort={field}:desc") == ["fast", "slow", idle] and names(f"sort={field}:asc") == ["slow", "fast", idle]
    for field in ("lag", "backpressure", "errors", "errors_5m", "restarts", "last_checkpoint"):
        assert sorted(names(f"sort={field}:desc")) == sorted(["fast", "slow", idle])
    assert names("sort=restarts:desc&limit=2&include=summary") and names("q=S&sort=name") == ["fast", idle, "slow"] and names("q=OW") == ["slow"]
    assert server.get("/pipelines?sort=spark").status == 400


def test_acts_on_several(server):
    ids = [server.created("/pipelines", {"name": f"p{i}", "query": COUNT})["id"] for i in range(3)]
    started = server.post("/pipelines/bulk", {"ids": ids + ["pipe_0000000000", ids[0]], "action": "start"})
    assert started.status == 200, started
    results = started.json["results"]
    assert [(r["id"], r["ok"]) for r in results] == [(i, True) for i in ids] + [("pipe_0000000000", False)]
    assert results[3]["error"]["code"] == "NOT_FOUND" and results[3]["error"]["details"]["id"] == "pipe_0000000000"
    for result in results[:3]:
        server.wait_state(result["job_id"], "Running")
    again = server.post("/pipelines/bulk", {"ids": ids[:1], "action": "start"}).json["results"]
    assert again[0]["error"]["code"] == "INVALID_STATE"
    restarted = server.post("/pipelines/bulk", {"ids": ids[:1], "action": "restart", "force": True}).json["results"]
    server.wait_state(restarted[0]["job_id"], "Running")
    stopped = server.post("/pipelines/bulk", {"ids": ids[:2], "action": "stop", "mode": "immediate"}).json["results"]
    assert all(r["ok"] and r["expected_finish_time"] for r in stopped)
    server.wait_state(restarted[0]["job_id"], "Stopped")
    server.wait_state(results[1]["job_id"], "Stopped")
    deleted = server.post("/pipelines/bulk", {"ids": ids, "action": "delete"}).json["results"]
    assert [r["ok"] for r in deleted] == [True, True, False], "the third still runs"
    assert server.post("/pipelines/bulk", {"ids": ids[2:], "action": "delete", "force": True}).json["results"][0]["ok"]
    assert server.ok("/pipelines")["data"] == []
    for bad in ({"ids": ids}, {"ids": ids, "action": "paint"}, {"ids": ids, "action": "start", "mode": "force"}, {"ids": [7], "action": "start"}, {"ids": ["x"] * 101, "action": "start"}):
        assert server.post("/pipelines/bulk", bad).status == 400, bad
    assert not server.post("/pipelines/bulk", {"ids": ["../jobs", "a/b?c"], "action": "stop"}).json["results"][0]["ok"]


def test_start_at_creation(server):
    made = server.created("/pipelines", {"name": "p", "query": COUNT, "start": True})
    assert made["state"] == "Starting" or made["state"] == "Running"
    server.wait_state(made["current_job_id"], "Running")


def test_preview_page(server):
    preview = server.created("/pipelines/preview", {"query": impulse(1000) + "SELECT counter, counter * 2 AS d FROM impulse", "limit": 25})
    assert preview["preview"] is True and preview["id"].startswith("pipe_")
    server.wait_state(preview["job_id"], "Finished")
    page = server.ok(f"/jobs/{preview['job_id']}/output")
    assert page["total_records"] == 25 and [r["record"]["d"] for r in page["data"]] == [2 * i for i in range(25)]
    assert server.ok(f"/jobs/{preview['job_id']}/output?limit=5&offset=3")["data"][0]["record"]["counter"] == 3
    csv = server.get(f"/jobs/{preview['job_id']}/output?format=csv")
    assert csv.headers["Content-Type"].startswith("text/csv") and csv.text.splitlines()[:2] == ["counter,d", "0,0"]
    assert server.ok("/pipelines")["data"] == [] and len(server.ok("/pipelines?preview=true")["data"]) == 1


def test_preview_stream(server):
    body = {"query": impulse(1000) + "SELECT counter FROM impulse", "limit": 100}
    events = server.events("/pipelines/preview", "POST", body)
    names = [name for name, _, _ in events]
    assert names[0] == "state" and names[-1] == "end" and "schema" in names
    assert events[-1][1] == {"reason": "limit", "total_records": 100}
    rows = [r["record"]["counter"] for name, data, _ in events if name == "output" for r in data["records"]]
    assert rows == list(range(100))
    ids = [number for _, _, number in events if number]
    assert ids == sorted(ids)


def test_preview_of_changes_and_sinks(server, tmp_path):
    source = tmp_path / "in.json"
    source.write_text("".join(json.dumps({"k": "a", "v": v}) + "\n" for v in (1, 2, 3)))
    server.created("/connection_tables", {"name": "src", "connector": "single_file", "config": {"path": str(source), "type": "source"}})
    sink = tmp_path / "out.json"
    server.created("/connection_tables", {"name": "snk", "connector": "single_file", "config": {"path": str(sink), "type": "sink"}})
    preview = server.created("/pipelines/preview", {"query": "INSERT INTO snk SELECT k, v FROM src"})
    server.wait_state(preview["job_id"], "Finished")
    assert server.ok(f"/jobs/{preview['job_id']}/output")["total_records"] == 3 and not sink.exists(), "sinks are replaced"
    preview = server.created("/pipelines/preview", {"query": "INSERT INTO snk SELECT k, v FROM src", "enable_sinks": True})
    server.wait_state(preview["job_id"], "Finished")
    assert server.ok(f"/jobs/{preview['job_id']}/output")["total_records"] == 3 and len(sink.read_text().splitlines()) == 3
    preview = server.created("/pipelines/preview", {"query": "SELECT k, count(*) AS n FROM src GROUP BY k"})
    server.wait_state(preview["job_id"], "Finished")
    last = server.ok(f"/jobs/{preview['job_id']}/output")["data"][-1]
    assert last["record"] == {"k": "a", "n": 3} and last["op"] in ("c", "u")


def test_state_on_disk(server, tmp_path):
    source = tmp_path / "in.json"
    source.write_text("".join(json.dumps({"k": f"a key that is not short {i % 700}", "v": i}) + "\n" for i in range(7000)))
    server.created("/connection_tables", {"name": "src", "connector": "single_file", "config": {"path": str(source), "type": "source"}})
    settings = "SET state_backend = 'rocksdb'; SET state_memory_limit = '1MB';\n"
    query = "SELECT count(*) AS n, sum(s) AS s FROM (SELECT k, sum(v) AS s FROM src GROUP BY k)"
    checked = server.post("/pipelines/validate_query", {"query": settings + query}).json
    assert checked["errors"] == [] and "STATE_BACKEND" in [d["code"] for d in checked["diagnostics"]]
    preview = server.created("/pipelines/preview", {"query": settings + query, "limit": 10_000})
    server.wait_state(preview["job_id"], "Finished")
    assert server.ok(f"/jobs/{preview['job_id']}/output")["data"][-1]["record"] == {"n": 700, "s": 7000 * 6999 // 2}
    unknown = server.post("/pipelines/validate_query", {"query": "SET state_backend = 'leveldb';\n" + query}).json
    assert "'memory' and 'disk'" in unknown["diagnostics"][0]["hint"]
    preview = server.created("/pipelines/preview", {"query": settings + "SET state_directory = '/nowhere';\n" + query})
    assert "cannot keep state in '/nowhere'" in server.wait_state(preview["job_id"], "Failed")["failure_message"]


def test_output_needs_a_capture_sink(server, tmp_path):
    server.created("/connection_tables", {"name": "snk", "connector": "blackhole", "config": {}})
    pipeline = server.created("/pipelines", {"name": "p", "query": impulse(10) + "INSERT INTO snk SELECT counter FROM impulse", "start": True})
    answer = server.get(f"/jobs/{pipeline['current_job_id']}/output")
    assert answer.status == 409 and answer.error == "INVALID_STATE"
