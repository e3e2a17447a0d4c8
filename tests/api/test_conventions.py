"""What holds for all endpoints: bodies, casing, errors, paging, filters, CORS, limits."""

import json
import socket

import pytest

KAFKA = {"name": "k", "connector": "kafka", "config": {"bootstrapServers": "localhost:9092"}}


def profiles(server, count):
    return [server.created("/connection_profiles", {**KAFKA, "name": f"p{i:02}"}) for i in range(count)]


def test_unknown_routes_and_methods(server):
    assert server.get("/nothing").status == 404 and server.get("/nothing").error == "NOT_FOUND"
    answer = server.request("PUT", "/connection_profiles", {})
    assert answer.status == 405 and answer.error == "METHOD_NOT_ALLOWED"
    assert {"GET", "POST"} <= set(answer.headers["Allow"].replace(",", "").split())
    assert server.get("/elsewhere", base="").status == 404
    assert server.get("/pipelines/pipe_0000000000").json["error"]["details"] == {"resource": "pipeline", "id": "pipe_0000000000"}


def test_bodies(server):
    def post(raw, **headers):
        return server.post("/connection_profiles", raw=raw, headers=headers)

    with_comments = b'{ // the name\n "name": "c1", /* which */ "connector": "kafka", "config": {"bootstrapServers": "b:1"}}'
    assert post(with_comments).status == 201
    assert post(json.dumps({**KAFKA, "name": "no type"}).encode(), **{"Content-Type": ""}).status == 201
    wrong_type = post(b"name=x", **{"Content-Type": "text/plain"})
    assert wrong_type.status == 415 and wrong_type.error == "UNSUPPORTED_MEDIA_TYPE"
    for bad in (b"{", b"[]", b"7", b"\xff\xfe", b'{"name": "\xff"}', b"[" * 5000, b""):
        answer = post(bad)
        assert answer.status == 400 and answer.error == "VALIDATION_ERROR", (bad[:20], answer)
    large = post(b'{"name": "' + b"x" * (1 << 20) + b'"}')
    assert large.status == 413 and large.json["error"]["details"]["limit_bytes"] == 1 << 20


def test_key_casing(server):
    spellings = ({"bootstrapServers": "b:1"}, {"bootstrap_servers": "b:1"}, {"bootstrap-servers": "b:1"})
    for i, config in enumerate(spellings):
        made = server.created("/connection_profiles", {"name": f"case{i}", "connector": "kafka", "config": config})
        assert made["config"] == config, "config comes back as it was sent"
    profile = made["id"]
    for i, key in enumerate(("connectionProfileId", "connection_profile_id", "connection-profile-id")):
        table = server.created("/connection_tables", {"name": f"t{i}", key: profile, "tableType": "sink", "config": {"topic": "x"}})
        assert table["connection_profile_id"] == table["connectionProfileId"] == profile
    twice = server.post("/connection_tables", {"name": "t9", "connectionProfileId": profile, "connection_profile_id": profile, "config": {"topic": "x", "type": "sink"}})
    assert twice.status == 400 and twice.error == "VALIDATION_ERROR"
    twice = server.post("/connection_profiles", {"name": "t9", "connector": "kafka", "config": {"bootstrapServers": "a", "bootstrap_servers": "b"}})
    assert twice.status == 400


def test_unknown_keys_and_envelope(server):
    answer = server.post("/connection_profiles", {**KAFKA, "colour": "red"})
    assert answer.status == 201 and answer.headers["X-Laminar-Ignored"] == "colour"
    wrapped = server.get(f"/connection_profiles/{answer.json['id']}?envelope=data").json
    assert list(wrapped) == ["data"] and wrapped["data"]["name"] == "k"
    assert answer.headers["Location"].endswith("/connection_profiles/" + answer.json["id"])
    assert answer.headers["X-Request-Id"]


def test_paging(server):
    made = profiles(server, 25)
    page = server.ok("/connection_profiles")
    assert len(page["data"]) == 20 and page["has_more"] is True and page["meta"] == {"total": 25, "limit": 20, "offset": 0}
    assert [p["id"] for p in page["data"]][0] == made[-1]["id"], "newest first"
    page = server.ok("/connection_profiles?limit=10&offset=20&sort=name:asc")
    assert [p["name"] for p in page["data"]] == ["p20", "p21", "p22", "p23", "p24"] and page["has_more"] is False
    assert server.ok("/connection_profiles?limit=1000")["meta"]["limit"] == 100
    seen, cursor = [], ""
    while True:
        page = server.ok(f"/connection_profiles?limit=7&sort=name{cursor}")
        seen += [p["name"] for p in page["data"]]
        if not page["has_more"]:
            break
        cursor = "&starting_after=" + page["data"][-1]["id"]
    assert seen == [f"p{i:02}" for i in range(25)] and page["meta"]["offset"] is None
    for bad in ("limit=0", "limit=x", "limit=-1", "offset=-1", "starting_after=prof_unknown123", "sort=colour", "sort=name:up",
                f"offset=1&starting_after={made[0]['id']}"):
        answer = server.get("/connection_profiles?" + bad)
        assert answer.status == 400 and answer.error == "VALIDATION_ERROR", bad
    assert server.get("/connection_profiles?unknown=1").status == 200
    assert len(server.ok("/connection_profiles?name=P1*")["data"]) == 10


def test_connectors(server):
    listed = server.ok("/connectors")
    assert listed["has_more"] is False and listed["meta"]["total"] == len(listed["data"])
    by_id = {c["id"]: c for c in listed["data"]}
    for name in ("kafka", "kinesis", "rabbitmq", "nats", "mqtt", "redis", "webhook", "websocket", "sse", "polling_http", "postgres", "mysql",
                 "filesystem", "single_file", "delta", "iceberg", "elasticsearch", "nexmark", "impulse", "datagen", "stdout", "blackhole"):
        assert name in by_id, name
    kafka = by_id["kafka"]
    assert kafka["category"] == "messaging" and kafka["type"] == ["source", "sink"]
    assert kafka["configuration_schema"]["source"]["required"] == ["topic"]
    assert kafka["connection_schema"]["properties"]["auth.password"]["secret"] is True
    assert by_id["impulse"]["connection_schema"] is None and by_id["impulse"]["enabled"] is True
    assert all(isinstance(v, bool) for v in kafka["features"].values())
    assert {c["category"] for c in server.ok("/connectors?category=storage,iot")["data"]} == {"storage", "iot"}
    assert "impulse" not in [c["id"] for c in server.ok("/connectors?type=SINK")["data"]]
    assert server.get("/connectors?type=river").status == 400
    assert server.ok("/connectors/kafka")["name"] == "Apache Kafka"
    assert server.get("/connectors/nope").error == "NOT_FOUND"


def test_etags(server):
    profile = server.post("/connection_profiles", KAFKA)
    path = f"/connection_profiles/{profile.json['id']}"
    tag = server.get(path).headers["ETag"]
    assert tag == profile.headers["ETag"]
    assert server.get(path, headers={"If-None-Match": tag}).status == 304
    changed = server.patch(path, {"description": "new"}, headers={"If-Match": tag})
    assert changed.status == 200 and changed.headers["ETag"] != tag
    stale = server.delete(path, headers={"If-Match": tag})
    assert stale.status == 412 and stale.error == "PRECONDITION_FAILED"
    assert server.delete(path, headers={"If-Match": changed.headers["ETag"]}).status == 200


def test_cors(server):
    answer = server.request("OPTIONS", "/pipelines", headers={"Origin": "http://a", "Access-Control-Request-Method": "POST"})
    assert answer.status == 204 and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def send(server, data, read=True):
    host, port = server.url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(data)
        return connection.recv(65536) if read else b""


def test_hostile_clients(server):
    assert b" 431 " in send(server, b"GET /api/v1/ping HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n")
    assert b" 400 " in send(server, b"\x16\x03\x01\x02\x00garbage\r\n\r\n")
    assert b" 413 " in send(server, b"POST /api/v1/pipelines HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
    silent = []
    host, port = server.url.split("//")[1].split(":")
    for _ in range(200):  # far more than threads
        connection = socket.create_connection((host, int(port)), timeout=20)
        connection.sendall(b"GET /api/v1/ping HTTP/1.1\r\nX: ")
        silent.append(connection)
    assert server.get("/ping").json == "Pong"
    for connection in silent:
        connection.close()
    assert server.get("/ping").json == "Pong"


def test_openapi_and_metrics(server):
    document = server.ok("/openapi.json")
    assert document["openapi"] == "3.1.0" and "/pipelines/{id}/start" in document["paths"]
    assert "laminar_pipelines 0" in server.get("/metrics", base="").text
    catalog = server.ok("/catalog")
    assert any(f["name"] == "upper" for f in catalog["functions"])
    assert server.ok("/server")["version"] and server.ok("/whoami")["role"] == "admin"
    assert any(s["name"] == "api.http_port" and s["origin"] == "flag" for s in server.ok("/settings")["data"])
