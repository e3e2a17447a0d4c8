"""Connection profiles and connection tables."""

import json

import pytest

KAFKA = {"name": "k", "connector": "kafka", "config": {"bootstrapServers": "localhost:9092"}}


@pytest.fixture
def profile(server):
    return server.created("/connection_profiles", KAFKA)


def test_profile_life(server, profile):
    assert profile["description"] == "" and profile["created_at"].endswith("Z") and profile["created_at"] == profile["updated_at"]
    path = f"/connection_profiles/{profile['id']}"
    taken = server.post("/connection_profiles", {**KAFKA, "name": "K"})
    assert taken.status == 409 and taken.error == "ALREADY_EXISTS" and taken.json["error"]["details"] == {"field": "name", "value": "K"}
    changed = server.patch(path, {"description": "d", "config": {"bootstrap_servers": "other:9092", "auth.username": "u"}}).json
    assert changed["config"] == {"bootstrapServers": "other:9092", "auth.username": "u"} and changed["description"] == "d"
    assert server.patch(path, {"config": {"auth.username": None}}).json["config"] == {"bootstrapServers": "other:9092"}
    assert server.ok(path)["updated_at"] > profile["updated_at"]
    server.created("/connection_tables", {"name": "t", "connection_profile_id": profile["id"], "config": {"topic": "x", "type": "sink"}})
    used = server.delete(path)
    assert used.status == 409 and used.error == "IN_USE" and used.json["error"]["details"]["used_by"][0]["name"] == "t"
    table = server.ok("/connection_tables")["data"][0]["id"]
    assert server.delete(f"/connection_tables/{table}").json == {"message": "Connection table deleted successfully"}
    assert server.delete(path).json == {"message": "Connection profile deleted successfully"}
    assert server.get(path).error == "NOT_FOUND"


@pytest.mark.parametrize("body", [
    {}, {"name": "x"}, {"name": "x", "connector": "kafka"}, {"name": "", "connector": "kafka", "config": {"bootstrapServers": "a"}},
    {"name": "x" * 129, "connector": "kafka", "config": {"bootstrapServers": "a"}}, {"name": 7, "connector": "kafka", "config": {"bootstrapServers": "a"}},
    {"name": "x", "connector": "kafkaa", "config": {}}, {"name": "x", "connector": "impulse", "config": {}},
    {"name": "x", "connector": "kafka", "config": {}}, {"name": "x", "connector": "kafka", "config": {"bootstrapServers": "a", "colour": "red"}},
    {"name": "x", "connector": "kafka", "config": "bootstrap"},
])
def test_bad_profiles(server, body):
    answer = server.post("/connection_profiles", body)
    assert answer.status == 400 and answer.error == "VALIDATION_ERROR", answer
    assert "field" in answer.json["error"]["details"] and "reason" in answer.json["error"]["details"]


def test_profile_test_and_autocomplete(server, profile):
    answer = server.post("/connection_profiles/test", {"connector": "kafka", "config": {"bootstrapServers": "127.0.0.1:1"}})
    assert answer.status == 400 and answer.error == "CONNECTION_FAILED" and "host" in answer.json["error"]["details"]
    assert server.post(f"/connection_profiles/{profile['id']}/test").error == "CONNECTION_FAILED"
    missing = server.post("/connection_profiles/test", {"connector": "kafka", "config": {"bootstrapServers": "{{ NOT_THERE }}"}})
    assert missing.status == 400 and missing.error == "SECRET_NOT_FOUND" and missing.json["error"]["details"] == {"missing": ["NOT_THERE"]}
    assert server.ok(f"/connection_profiles/{profile['id']}/autocomplete")["suggestions"] == []
    assert server.get(f"/connection_profiles/{profile['id']}/autocomplete?type=rivers").status == 400


def test_secrets_are_masked_and_kept(server, start_server):
    body = {"name": "s", "connector": "kafka", "config": {
        "bootstrapServers": "a:1", "authentication": {"type": "SASL", "username": "u", "password": "hunter2hunter2"}}}
    profile = server.created("/connection_profiles", body)
    assert profile["config"]["authentication"] == {"type": "SASL", "username": "u", "password": "********"}
    path = f"/connection_profiles/{profile['id']}"
    assert server.patch(path, {"config": {"authentication": profile["config"]["authentication"]}}).json["config"] == profile["config"]
    reference = {"type": "SASL", "username": "u", "password": "{{ KAFKA_PASSWORD }}"}
    assert server.patch(path, {"config": {"authentication": reference}}).json["config"]["authentication"] == reference
    server.stop()
    stored = b"".join(p.read_bytes() for p in server.data_dir.rglob("*") if p.is_file())
    assert b"hunter2" not in stored


def table(server, **body):
    return server.post("/connection_tables", {"name": "t", "connector": "single_file", "config": {"path": "/nowhere.json", "type": "source"}, **body})


def test_table_life(server, profile):
    made = server.created("/connection_tables", {
        "name": "user_events", "connector": "kafka", "connectionProfileId": profile["id"],
        "config": {"topic": "user-events", "format": "json", "type": "source", "offset": "latest"},
        "schema": {"fields": [{"name": "user_id", "type": "BIGINT"}, {"name": "event_type", "type": "STRING"}, {"name": "timestamp", "type": "TIMESTAMP"}]},
        "event_time_field": "timestamp", "watermark_delay": "5 seconds"})
    assert made["id"].startswith("tbl_") and made["table_type"] == "source" and made["connector"] == "kafka"
    assert [(f["name"], f["data_type"], f["nullable"]) for f in made["schema"]["fields"]] == [
        ("user_id", "BIGINT", True), ("event_type", "TEXT", True), ("timestamp", "TIMESTAMP", True)]
    assert made["schema"]["inferred"] is False and made["config"]["offset"] == "latest"
    path = f"/connection_tables/{made['id']}"
    assert server.ok(path) == made
    changed = server.patch(path, {"watermark_delay": "PT10S", "config": {"offset": "earliest"}})
    assert changed.status == 200 and changed.json["config"]["offset"] == "earliest" and changed.json["watermark_delay"] == "PT10S"
    pipeline = server.created("/pipelines", {"name": "p", "query": "SELECT user_id FROM user_events"})
    used = server.delete(path)
    assert used.status == 409 and used.json["error"]["details"]["used_by"] == [{"kind": "pipeline", "id": pipeline["id"], "name": "p"}]
    assert server.delete(f"/pipelines/{pipeline['id']}").status == 200
    assert server.delete(path).status == 200 and server.get(path).status == 404


def test_field_types(server):
    spellings = ["BIGINT", "int64", {"primitive": "Int64"}, "DECIMAL(10,2)", "ARRAY<INT>", "MAP<STRING,INT>", "STRUCT<a:INT,b:STRING>",
                 {"primitive": "Utf8"}, {"primitive": "Bool"}, {"primitive": "UInt8"}, {"type": "list", "items": "int32"}, "string", "TIMESTAMP", {"primitive": "Json"}]
    wanted = ["BIGINT", "BIGINT", "BIGINT", "DECIMAL(10, 2)", None, None, None, "TEXT", "BOOLEAN", "TINYINT UNSIGNED", None, "TEXT", "TIMESTAMP", "JSON"]
    made = table(server, schema={"fields": [{"name": f"c{i}", "type" if i % 2 else "data_type": t} for i, t in enumerate(spellings)]})
    assert made.status == 201, made
    for field, expected in zip(made.json["schema"]["fields"], wanted):
        assert expected is None or field["data_type"].replace(", ", ",") == expected.replace(", ", ","), field
    required = table(server, name="r", schema={"fields": [{"name": "a", "type": "INT", "required": True}, {"name": "b", "type": "INT", "nullable": False}]})
    assert [f["nullable"] for f in required.json["schema"]["fields"]] == [False, False]


def test_schema_definitions(server):
    json_schema = json.dumps({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": "string", "format": "date-time"}}})
    made = table(server, name="j", schema={"definition": {"type": "json_schema", "schema": json_schema}})
    assert [(f["name"], f["data_type"], f["nullable"]) for f in made.json["schema"]["fields"]] == [("a", "BIGINT", False), ("b", "TIMESTAMP", True)]
    avro = json.dumps({"type": "record", "name": "r", "fields": [{"name": "x", "type": ["null", "long"]}, {"name": "y", "type": "string"}]})
    made = table(server, name="a", schema={"definition": {"type": "avro_schema", "schema": avro}})
    assert [(f["name"], f["data_type"]) for f in made.json["schema"]["fields"]] == [("x", "BIGINT"), ("y", "TEXT")]
    made = table(server, name="s", schema={"definition": {"type": "sql", "schema": "id BIGINT NOT NULL, v DOUBLE"}})
    assert [f["name"] for f in made.json["schema"]["fields"]] == ["id", "v"]
    assert table(server, name="b", schema={"definition": {"type": "json_schema", "schema": "{"}}).status == 400


def test_schema_is_inferred_or_open(server, tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('{"id": 1, "price": 2, "at": "2024-01-01T00:00:00Z"}\n{"id": 2, "price": 2.5, "at": "2024-01-02T00:00:00Z"}\n')
    made = table(server, config={"path": str(path), "type": "source"}).json
    assert {f["name"]: f["data_type"] for f in made["schema"]["fields"]} == {"id": "BIGINT", "price": "DOUBLE", "at": "TIMESTAMP"}
    assert made["schema"]["inferred"] is True
    made = table(server, name="open").json
    assert [f["name"] for f in made["schema"]["fields"]] == ["value"] and made["schema"]["inferred"] is True
    assert server.post("/pipelines/validate_query", {"query": "SELECT anything FROM open"}).json["errors"] == []


@pytest.mark.parametrize("change", [
    {"name": "1x"}, {"name": "select"}, {"name": "a-b"}, {"name": ""}, {"connector": "singlefile2"}, {"connector": None},
    {"config": {"type": "source"}}, {"config": {"path": "/x", "type": "river"}}, {"config": {"path": "/x"}}, {"config": {"path": "/x", "type": "source", "pathh": "y"}},
    {"table_type": "sink"}, {"table_type": "lookup"}, {"schema": {"fields": [{"name": "a"}]}}, {"schema": {"fields": [{"name": "a", "type": "RIVER"}]}},
    {"event_time_field": "nope", "schema": {"fields": [{"name": "a", "type": "INT"}]}}, {"event_time_field": "a", "schema": {"fields": [{"name": "a", "type": "INT"}]}},
    {"watermark_delay": "soon"}, {"config": {"path": "/x", "type": "source", "format": "jsonn"}}, {"connection_profile_id": "prof_unknown"},
])
def test_bad_tables(server, change):
    answer = table(server, **change)
    assert answer.status == 400 and answer.error == "VALIDATION_ERROR", answer
    assert "field" in answer.json["error"]["details"] and answer.json["error"]["details"]["reason"], answer


def test_variants_of_config_type(server):
    kafka = server.created("/connection_profiles", KAFKA)["id"]
    mqtt = server.created("/connection_profiles", {"name": "m", "connector": "mqtt", "config": {"url": "tcp://localhost:1883"}})["id"]
    rabbit = server.created("/connection_profiles", {"name": "r", "connector": "rabbitmq", "config": {}})["id"]
    for name, profile, config, kind in (("a", kafka, {"topic": "x", "type": {"offset": "earliest"}}, "source"),
                                        ("b", kafka, {"topic": "x", "type": {"commitMode": "exactly_once"}}, "sink"),
                                        ("c", mqtt, {"topic": "x", "type": {}}, "source"), ("d", mqtt, {"topic": "x", "type": {"retain": True}}, "sink"),
                                        ("e", rabbit, {"stream": "x", "type": {}}, "sink"), ("f", rabbit, {"stream": "x", "type": {"offset": "first"}}, "source")):
        made = server.post("/connection_tables", {"name": name, "connection_profile_id": profile, "config": config})
        assert made.status == 201 and made.json["table_type"] == kind, made
        assert made.json["config"] == config
    bad = server.post("/connection_tables", {"name": "g", "connection_profile_id": kafka, "config": {"topic": "x", "type": {"colour": 1}}})
    assert bad.status == 400


def test_table_test_and_schema_test(server, tmp_path):
    path = tmp_path / "rows.json"
    path.write_text("".join(json.dumps({"id": i, "name": f"n{i}"}) + "\n" for i in range(30)))
    body = {"connector": "single_file", "config": {"path": str(path), "type": "source"}}
    tested = server.post("/connection_tables/test", body)
    assert tested.status == 200 and tested.json["success"] is True, tested
    assert len(tested.json["sample_data"]) == 10 and tested.json["sample_data"][0] == {"id": 0, "name": "n0"}
    assert set(tested.json["statistics"]) == {"message_rate", "lag", "partitions"}
    wrong = server.post("/connection_tables/test", {**body, "schema": {"fields": [{"name": "name", "type": "BIGINT"}]}})
    assert wrong.status == 200 and wrong.json["success"] is False
    gone = server.post("/connection_tables/test", {**body, "config": {"path": str(tmp_path / "gone"), "type": "source"}})
    assert gone.status == 400 and gone.error == "CONNECTION_FAILED", gone
    steps = server.events("/connection_tables/test", "POST", body)
    assert steps[-1][0] == "message" and steps[-1][1]["done"] is True and steps[-1][1]["error"] is False
    inferred = server.post("/connection_tables/schemas/test", body).json
    assert inferred["valid"] is True and inferred["inferred_schema"]["fields"][0]["sample_values"] == [0, 1, 2, 3, 4]
    assert set(inferred["compatibility"]) == {"forward_compatible", "backward_compatible"}
    bad = server.post("/connection_tables/schemas/test", {**body, "schema": {"fields": [{"name": "name", "type": "BIGINT"}]}}).json
    assert bad["valid"] is False and bad["errors"]
