"""The endpoint table of the contract against OpenAPI, and the fields that each page of it promises."""

import concurrent.futures
import socket

import pytest

from conftest import impulse

ENDPOINTS = """
GET /ping|GET /connectors|GET /connectors/{id}
GET /connection_profiles|POST /connection_profiles|GET /connection_profiles/{id}|PATCH /connection_profiles/{id}|DELETE /connection_profiles/{id}
POST /connection_profiles/test|POST /connection_profiles/{id}/test|GET /connection_profiles/{id}/autocomplete
GET /connection_tables|POST /connection_tables|GET /connection_tables/{id}|PATCH /connection_tables/{id}|DELETE /connection_tables/{id}
POST /connection_tables/test|POST /connection_tables/schemas/test
GET /pipelines|POST /pipelines|GET /pipelines/{id}|PATCH /pipelines/{id}|DELETE /pipelines/{id}
POST /pipelines/{id}/start|POST /pipelines/{id}/stop|POST /pipelines/{id}/restart|POST /pipelines/{id}/rescale
POST /pipelines/validate_query|POST /pipelines/bulk|POST /pipelines/preview|GET /pipelines/{id}/jobs
GET /jobs|GET /jobs/{id}|POST /jobs/{id}/stop|POST /jobs/{id}/restart|POST /jobs/{id}/rescale
GET /jobs/{id}/metrics|GET /jobs/{id}/metric-groups|GET /jobs/{id}/operators|GET /jobs/{id}/operators/{operator_id}/metrics
GET /jobs/{id}/checkpoints|GET /jobs/{id}/checkpoints/{checkpoint_id}|POST /jobs/{id}/checkpoints
GET /jobs/{id}/output|GET /jobs/{id}/errors|GET /jobs/{id}/logs|GET /jobs/{id}/events|GET /jobs/{id}/watermarks|GET /jobs/{id}/metrics/history
GET /udfs|POST /udfs|GET /udfs/{id}|DELETE /udfs/{id}|POST /udfs/validate|POST /sql
GET /events|GET /catalog|GET /server|GET /whoami|GET /settings|GET /pipelines/{id}/versions|GET /pipelines/{id}/versions/{version}
"""

QUERY = {
    "/connectors": {"category", "type", "hidden"},
    "/connection_profiles/{id}/autocomplete": {"type", "parent", "prefix", "limit"},
    "/connection_tables": {"type", "connector", "name", "connection_profile_id", "limit", "offset", "starting_after", "sort"},
    "/pipelines": {"name", "state", "tag", "preview", "include", "q", "limit", "offset", "starting_after", "sort"},
    "/jobs": {"pipeline_id", "state", "running", "limit", "offset", "starting_after", "sort"},
    "/jobs/{id}/metrics": {"window_seconds"},
    "/jobs/{id}/metrics/history": {"names", "operator_id", "from", "to", "step"},
    "/jobs/{id}/checkpoints": {"completed", "limit", "offset"},
    "/jobs/{id}/output": {"operator_id", "limit", "offset", "format", "stream", "numbers", "max_rows_per_second"},
    "/jobs/{id}/errors": {"level", "operator_id", "limit", "starting_after", "since"},
    "/jobs/{id}/logs": {"level", "operator_id", "task_index", "since", "until", "limit", "q", "follow"},
}


def operations(server):
    """(method, path) → operation; the job's id is {id} as in the contract."""
    paths = server.ok("/openapi.json")["paths"]
    return {(method.upper(), path.replace("{job_id}", "{id}")): operation for path, methods in paths.items() for method, operation in methods.items()}


def test_each_endpoint_of_the_contract(server):
    known = operations(server)
    wanted = [tuple(entry.split()) for line in ENDPOINTS.split("\n") for entry in line.split("|") if entry]
    assert [entry for entry in wanted if entry not in known] == []
    for path, names in QUERY.items():
        assert names <= {p["name"] for p in known[("GET", path)]["parameters"] if p["in"] == "query"}, path
    page = server.get("/jobs/job_0000000000/metrics", base="/v1")
    assert page.status == 404 and page.error == "NOT_FOUND", "/v1 is the same"


def test_fields_of_each_page(server, tmp_path):
    connectors = server.ok("/connectors?limit=100&hidden=true")["data"]
    for connector in connectors:
        assert set(connector) >= {"id", "name", "description", "icon", "version", "category", "type", "features", "supported_formats",
                                  "configuration_schema", "connection_schema", "enabled", "hidden", "testing", "custom_schemas"}
        assert set(connector["configuration_schema"]) == set(connector["type"])
    server.created("/connection_tables", {"name": "out", "connector": "single_file", "config": {"path": str(tmp_path / "out.json"), "type": "sink"}})
    pipeline = server.created("/pipelines", {"name": "p", "query": impulse(200) + "INSERT INTO out SELECT counter FROM impulse", "start": True,
                                             "checkpoint_interval_micros": 1_000_000})
    assert set(pipeline) >= {"id", "name", "query", "parallelism", "checkpoint_interval_micros", "udfs", "tags", "env_vars", "state", "stateDetail",
                             "created_at", "updated_at", "action", "action_text", "action_in_progress", "graph", "preview", "current_job_id"}
    path = "/jobs/" + pipeline["current_job_id"]
    job = server.wait(path, lambda j: j["metrics"]["records_out"] > 0)
    assert set(job) >= {"id", "pipeline_id", "running_desired", "state", "stateDetail", "run_id", "restarts", "start_time", "finish_time", "tasks", "parallelism",
                        "failure_message", "failure_reason", "created_at", "restored_from", "metrics", "version", "query", "graph"}
    metrics = server.ok(path + "/metrics")
    assert set(metrics) >= {"records_in", "records_out", "bytes_in", "bytes_out", "errors", "warnings", "late_records", "latency_p50", "latency_p95",
                            "latency_p99", "throughput", "backpressure", "state_bytes", "watermark", "operators"}
    assert set(metrics["operators"][0]) >= {"operator_id", "operator_name", "records_in", "records_out", "errors", "rate_in", "rate_out", "bytes_rate", "busy",
                                            "idle", "backpressure", "queue_fill", "watermark", "latency_p99", "state_bytes", "late_records", "skew", "errors_5m"}
    groups = server.ok(path + "/metric-groups")
    assert set(groups) == {"sources", "transforms", "sinks"} and set(groups["sources"]) >= {"total_records", "throughput", "operators"}
    operator = server.ok(path + "/operators")["data"][0]
    assert set(operator) >= {"operator_id", "operator_name", "description", "kind", "parallelism", "watermark", "state_bytes"}
    numbers = server.ok(path + "/operators/source_1/metrics")
    assert set(numbers) >= {"operator_id", "operator_name", "subtasks", "metrics", "subtask_metrics", "lag", "partitions"}
    assert set(numbers["metrics"]) >= {"records_in", "records_out", "bytes_in", "bytes_out", "errors", "warnings", "backpressure", "idle_time_percent"}
    assert set(numbers["subtask_metrics"][0]) >= {"subtask_index", "records_in", "records_out", "bytes_in", "bytes_out", "backpressure"}
    checkpoint = server.wait(path + "/checkpoints", lambda c: c["data"])["data"][0]
    assert set(checkpoint) >= {"id", "job_id", "epoch", "start_time", "finish_time", "state", "type", "size_bytes", "operator_states", "failure_reason"}
    whole = server.ok(f"{path}/checkpoints/{checkpoint['id']}")
    assert set(whole) >= set(checkpoint) | {"backend", "location", "events"}
    assert all(set(o) >= {"operator_id", "operator_name", "state_size"} for o in whole["operator_states"])
    log = server.ok(path + "/logs")["data"][0]
    assert set(log) == {"id", "timestamp", "level", "operator_id", "task_index", "message", "details"}
    assert server.ok(path + "/logs?task_index=3")["data"] == [] and server.get(path + "/logs?task_index=x").status == 400
    summary = server.ok("/pipelines?include=summary")["data"][0]["summary"]
    assert set(summary) >= {"throughput", "watermark_lag_ms", "lag", "backpressure", "last_checkpoint", "errors_5m", "restarts", "spark"}


def test_filters_refuse_what_is_not_known(server):
    for path in ("/connectors?category=rivers", "/connectors?type=river", "/connection_profiles?connector=rivers", "/connection_tables?connector=rivers",
                 "/connection_tables?type=river", "/jobs?state=asleep"):
        answer = server.get(path)
        assert answer.status == 400 and answer.error == "VALIDATION_ERROR", path
    server.created("/connection_tables", {"name": "t", "connector": "single_file", "config": {"path": "/nowhere.json", "type": "source"}})
    assert [t["name"] for t in server.ok("/connection_tables?connector=SINGLE_FILE,kafka")["data"]] == ["t"]


def test_metrics_with_a_token_only(start_server):
    server = start_server(environment={"LAMINAR_API_TOKENS": "eye:read:readsecret", "LAMINAR__METRICS__OPEN": "false"})
    assert server.get("/metrics", base="").status == 401
    server.token = "readsecret"
    assert "laminar_jobs_active" in server.get("/metrics", base="").text


def test_what_hangs_is_given_up(start_server):
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:  # takes connections and never answers
        server = start_server(environment={"LAMINAR__API__TEST_TIMEOUT": "300ms", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
        body = {"connector": "filesystem", "config": {"path": f"s3::http://127.0.0.1:{silent.getsockname()[1]}/bucket/in", "type": "source"}}
        for path in ("/connection_tables/test", "/connection_tables/schemas/test"):
            answer = server.post(path, body)
            assert answer.status == 504 and answer.error == "TIMEOUT" and answer.json["error"]["details"]["limit_ms"] == 300, answer
        with concurrent.futures.ThreadPoolExecutor(40) as clients:
            answers = list(clients.map(lambda _: server.post("/connection_tables/test", body), range(40)))
        refused = [a for a in answers if a.status == 429]
        assert refused and len(refused) + sum(a.status == 504 for a in answers) == 40, answers
        assert refused[0].error == "RATE_LIMITED" and refused[0].headers["Retry-After"] == "1"
        assert server.get("/ping").json == "Pong"


@pytest.mark.parametrize("path", ["/ping", "/connectors", "/pipelines", "/jobs", "/settings"])
def test_head_is_get_without_a_body(server, path):
    answer = server.request("HEAD", path)
    assert answer.status == 200 and answer.text == "" and int(answer.headers["Content-Length"]) > 0
