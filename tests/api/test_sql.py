"""POST /sql: statements in order, each as the request that it stands for."""

import json

from conftest import impulse


def run(server, query, **body):
    answer = server.post("/sql", {"query": query, **body})
    assert answer.status == 200, answer
    return answer.json["results"]


def test_a_script_from_table_to_job(server, tmp_path):
    (tmp_path / "in.json").write_text("".join(json.dumps({"n": n, "ts": f"2024-01-01T00:00:{n:02}Z"}) + "\n" for n in range(5)))
    results = run(server, f"""
        CREATE TABLE nums (n BIGINT NOT NULL, ts TIMESTAMP, twice BIGINT GENERATED ALWAYS AS (n * 2), WATERMARK FOR ts AS ts - INTERVAL '2 seconds')
          WITH (connector = 'single_file', path = '{tmp_path}/in.json', type = 'source');
        CREATE TABLE IF NOT EXISTS nums WITH (connector = 'single_file', path = 'x', type = 'source');
        CREATE TABLE outs (n BIGINT, twice BIGINT) WITH (connector = 'single_file', path = '{tmp_path}/out.json', type = 'sink');
        CREATE VIEW big AS SELECT n, twice FROM nums WHERE n > 2;
        CREATE PIPELINE doubled AS INSERT INTO outs SELECT * FROM big;
        START PIPELINE doubled""")
    assert [r["kind"] for r in results] == ["created", "created", "created", "created", "pipeline", "job"]
    assert results[1]["warnings"] and "lives in this script" in results[3]["warnings"][0]
    table = server.ok(f"/connection_tables/{results[0]['id']}")
    assert table["event_time_field"] == "ts" and table["table_type"] == "source" and table["config"] == {"path": f"{tmp_path}/in.json", "type": "source"}
    assert [f["data_type"] for f in table["schema"]["fields"]] == ["BIGINT", "TIMESTAMP", "BIGINT"]
    server.wait_state(results[5]["id"], "Finished")
    assert [json.loads(line) for line in (tmp_path / "out.json").read_text().splitlines()] == [{"n": 3, "twice": 6}, {"n": 4, "twice": 8}]
    tables, described, created, pipelines, jobs, connectors, functions, views = run(
        server, "SHOW TABLES; DESCRIBE nums; SHOW CREATE TABLE nums; SHOW PIPELINES; SHOW JOBS; SHOW CONNECTORS; SHOW FUNCTIONS; SHOW VIEWS")
    assert [r[0] for r in tables["rows"]] == ["nums", "outs"] and [c["name"] for c in tables["columns"]] == ["name", "type", "connector", "id"]
    assert described["rows"][0][:3] == ["n", "BIGINT", False] and described["rows"][2][3].startswith("AS ")
    assert created["rows"][0][0].startswith('CREATE TABLE "nums" ("n" BIGINT NOT NULL')
    assert pipelines["rows"][0][:2] == ["doubled", "Finished"] and jobs["rows"][0][2] == "Finished"
    assert ["single_file", True, True, False, True] in connectors["rows"] and len(functions["rows"]) > 100 and views["rows"] == []
    refused = server.post("/sql", {"query": "DROP TABLE nums"})
    assert refused.error == "IN_USE" and refused.json["error"]["details"]["statement_index"] == 0
    dropped = run(server, "DROP PIPELINE doubled; DROP TABLE nums; DROP TABLE outs; DROP TABLE IF EXISTS nums")
    assert [d["kind"] for d in dropped] == ["dropped"] * 4 and dropped[3]["warnings"]
    assert server.ok("/connection_tables")["data"] == server.ok("/pipelines")["data"] == []


def test_the_first_failure_stops_and_earlier_results_stand(server):
    script = "CREATE VIEW v AS SELECT 1 AS n;\nCREATE PIPELINE a AS SELECT n FROM v;\n  CREATE PIPELINE b AS\n    SELECT nothing FROM v"
    answer = server.post("/sql", {"query": script})
    details = answer.json["error"]["details"]
    assert answer.status == 400 and details["statement_index"] == 2 and (details["line"], details["column"]) == (4, 12), answer
    assert [r["kind"] for r in details["results"]] == ["created", "pipeline"]
    assert "a" in [p["name"] for p in server.ok("/pipelines")["data"]]


def test_what_is_refused_says_what_to_do(server):
    for query, hint in (("SELECT 1", "/pipelines/preview"), ("INSERT INTO x SELECT 1", "CREATE PIPELINE"), ("UPDATE t SET a = 1", "UPDATE"),
                        ("DROP TABLE nothing", "nothing"), ("START PIPELINE nothing", "nothing"), ("SHOW TABLEZ", "TABLEZ"),
                        ("CREATE TABLE t WITH (connector = 'kafkaa', type = 'source')", "kafka")):
        answer = server.post("/sql", {"query": query})
        assert answer.status in (400, 404) and hint in answer.json["error"]["message"], (query, answer)


def test_dry_run_and_explain_change_nothing(server):
    results = run(server, impulse(5).replace("WITH (", "WITH (type = 'source', ") + "CREATE PIPELINE p AS SELECT counter FROM impulse; EXPLAIN SELECT counter FROM impulse", dry_run=True)
    assert [r["kind"] for r in results] == ["created", "pipeline", "explain"] and any("impulse" in row[0] for row in results[2]["rows"])
    assert server.ok("/connection_tables")["data"] == server.ok("/pipelines")["data"] == []


def test_idempotency_key(server):
    body = {"name": "k", "connector": "kafka", "config": {"bootstrapServers": "a:1"}}
    key = {"Idempotency-Key": "first"}
    first = server.post("/connection_profiles", body, headers=key)
    again = server.post("/connection_profiles", body, headers=key)
    assert first.status == again.status == 201 and first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true" and again.headers["Location"] == first.headers["Location"]
    assert server.post("/connection_profiles", body).error == "ALREADY_EXISTS"
    assert server.post("/connection_profiles", {**body, "name": "other"}, headers=key).error == "VALIDATION_ERROR"
    server.stop()
    server.start()
    assert server.post("/connection_profiles", body, headers=key).json == first.json, "it holds across a restart"
    refused = {"Idempotency-Key": "second"}
    assert server.post("/connection_profiles", body, headers=refused).error == "ALREADY_EXISTS"
    server.delete(f"/connection_profiles/{first.json['id']}")
    assert server.post("/connection_profiles", body, headers=refused).status == 201, "what was refused is not kept"
