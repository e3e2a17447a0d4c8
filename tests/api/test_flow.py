"""The flow of the core concepts: connectors, profiles, tables, pipelines, jobs. Bodies are those of the documents."""

import json

import pytest

from conftest import impulse

SEED_PROFILE = """{
  "name": "prod-kafka",
  "connector": "kafka",
  "config": {
    "bootstrapServers": "kafka.prod:9092"
  }
}"""
SEED_SOURCE = """{
  "name": "raw_events",
  "connectionProfileId": "prof_123",
  "config": {
    "topic": "events",
    "type": "source"
  }
}"""
SEED_SINK = """{
  "name": "processed_events",
  "connectionProfileId": "prof_123",
  "config": {
    "topic": "processed",
    "type": "sink"
  }
}"""
SEED_PIPELINE = """CREATE PIPELINE event_processor AS

INSERT INTO processed_events
SELECT 
  event_id,
  user_id,
  event_type,
  -- Transform the data
  UPPER(event_type) as normalized_type,
  JSON_VALUE(properties, '$.amount') as amount,
  timestamp
FROM raw_events
WHERE event_type IS NOT NULL;
"""


def test_ping(server):
    assert server.get("/ping").json == "Pong"
    assert server.get("/ping", base="/v1").json == "Pong"


def test_seed_flow_as_written(server):
    """Kafka itself is described only: everything but the job works as the document says."""
    connectors = server.ok("/connectors")["data"]
    assert "kafka" in [c["id"] for c in connectors]
    profile = server.post("/connection_profiles", raw=SEED_PROFILE.encode())
    assert profile.status == 201 and profile.json["id"].startswith("prof_"), profile
    assert profile.json["config"] == {"bootstrapServers": "kafka.prod:9092"}
    for body, kind in ((SEED_SOURCE, "source"), (SEED_SINK, "sink")):
        table = server.post("/connection_tables", raw=body.replace("prof_123", profile.json["id"]).encode())
        assert table.status == 201 and table.json["table_type"] == kind, table
    pipeline = server.post("/pipelines", {"query": SEED_PIPELINE})
    assert pipeline.status == 201, pipeline
    assert pipeline.json["name"] == "event_processor" and pipeline.json["state"] == "Created"
    job = server.post(f"/pipelines/{pipeline.json['id']}/start")
    assert job.status == 202 and job.json["job_id"].startswith("job_"), job
    for page in ("", "/metrics", "/errors"):
        assert server.get(f"/jobs/{job.json['job_id']}{page}").status == 200


def test_seed_flow_over_files(server, tmp_path):
    events = [
        {"event_id": 1, "user_id": 7, "event_type": "buy", "properties": {"amount": 5}, "timestamp": "2024-01-01T00:00:00Z"},
        {"event_id": 2, "user_id": 8, "event_type": None, "properties": {"coupon": "x"}, "timestamp": "2024-01-01T00:00:01Z"},
        {"event_id": 3, "user_id": 9, "event_type": "view", "properties": {"amount": 1.5}, "timestamp": "2024-01-01T00:00:02Z"},
    ]
    source, sink = tmp_path / "events.json", tmp_path / "processed.json"
    source.write_text("".join(json.dumps(e) + "\n" for e in events))
    for name, path, kind in (("raw_events", source, "source"), ("processed_events", sink, "sink")):
        table = server.created("/connection_tables", {"name": name, "connector": "single_file", "config": {"path": str(path), "type": kind}})
        assert table["table_type"] == kind
    pipeline = server.created("/pipelines", {"query": SEED_PIPELINE})
    started = server.post(f"/pipelines/{pipeline['id']}/start")
    assert started.status == 202 and started.json["pipeline_id"] == pipeline["id"]
    job = server.wait_state(started.json["job_id"], "Finished")
    assert job["state"] == "Completed" and job["failure_message"] is None and job["run_id"] == 1
    assert server.ok(f"/pipelines/{pipeline['id']}")["state"] == "Stopped"
    rows = [json.loads(line) for line in sink.read_text().splitlines()]
    assert [(r["event_id"], r["normalized_type"], r["amount"]) for r in rows] == [(1, "BUY", "5"), (3, "VIEW", "1.5")]
    metrics = server.ok(f"/jobs/{job['id']}/metrics")
    assert metrics["records_out"] == 2, metrics
    assert server.ok(f"/jobs/{job['id']}/errors")["data"] == []


def test_running_job_reports_and_stops(server):
    pipeline = server.created("/pipelines", {"name": "counting", "query": impulse(200) + "SELECT counter FROM impulse"})
    assert pipeline["state"] == "Created" and [n["kind"] for n in pipeline["graph"]["nodes"]][0] == "source"
    job = server.post(f"/pipelines/{pipeline['id']}/start").json["job_id"]
    server.wait_state(job, "Running")
    assert server.ok(f"/pipelines/{pipeline['id']}")["state"] == "Running"
    metrics = server.wait(f"/jobs/{job}/metrics", lambda m: m["records_in"] > 100)
    assert metrics["operators"][0]["operator_id"] == "source_1"
    output = server.wait(f"/jobs/{job}/output", lambda o: o["total_records"] > 10)
    assert output["data"][0]["op"] == "c" and output["data"][0]["record"] == {"counter": 0}
    operator = server.ok(f"/jobs/{job}/operators/source_1/metrics")
    assert operator["subtasks"] == 1 and len(operator["subtask_metrics"]) == 1
    again = server.post(f"/pipelines/{pipeline['id']}/start")
    assert again.status == 409 and again.error == "INVALID_STATE"
    stop = server.post(f"/jobs/{job}/stop", {"mode": "graceful"})
    assert stop.status == 202 and stop.json["message"] == "Job stop initiated"
    job = server.wait_state(job, "Stopped")
    assert job["state"] == "Stopped" and job["finish_time"] >= job["start_time"]
    assert server.post(f"/jobs/{job['id']}/stop").error == "INVALID_STATE"
    restarted = server.post(f"/pipelines/{pipeline['id']}/start")
    assert restarted.status == 202
    assert server.wait_state(restarted.json["job_id"], "Running")["run_id"] == 2
    assert server.delete(f"/pipelines/{pipeline['id']}").error == "INVALID_STATE"
    assert server.delete(f"/pipelines/{pipeline['id']}?force=true").json == {"message": "Pipeline deleted successfully"}
    assert server.get(f"/pipelines/{pipeline['id']}").error == "NOT_FOUND"
    assert server.ok("/jobs")["data"] == []
