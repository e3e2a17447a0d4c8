"""Tokens, roles, settings."""

import json
import pathlib
import sqlite3
import subprocess
import urllib.request

import pytest


def test_tokens_and_roles(start_server):
    server = start_server(environment={"LAMINAR_API_TOKENS": "boss:admin:adminsecret,ci:write:writesecret,eye:read:readsecret"})
    assert server.get("/ping").status == 200 and server.get("/connectors").status == 200 and server.get("/metrics", base="").status == 200
    denied = server.get("/pipelines")
    assert denied.status == 401 and denied.error == "UNAUTHORIZED" and denied.headers["WWW-Authenticate"] == "Bearer"
    assert server.get("/pipelines", headers={"Authorization": "Bearer wrong"}).status == 401
    server.token = "readsecret"
    assert server.get("/pipelines").status == 200
    assert server.post("/pipelines/validate_query", {"query": "SELECT 1"}).status == 200
    forbidden = server.post("/connection_profiles", {"name": "k", "connector": "kafka", "config": {"bootstrapServers": "a"}})
    assert forbidden.status == 403 and forbidden.error == "FORBIDDEN" and forbidden.json["error"]["details"] == {"required_role": "write"}
    server.token = "writesecret"
    assert server.post("/connection_profiles", {"name": "k", "connector": "kafka", "config": {"bootstrapServers": "a"}}).status == 201
    assert server.ok("/whoami") == {"name": "ci", "role": "write"}
    server.token = None
    assert server.get("/pipelines?access_token=readsecret").status == 401, "only event streams take it"
    assert "secret" not in (server.folder / "server.log").read_text()


def test_settings(start_server, tmp_path):
    config = tmp_path / "laminar.toml"
    config.write_text('default_checkpoint_interval = "5s"\n[api]\nconnections_max = 77\n[api.auth]\ntokens = ["abcdefgh"]\n')
    server = start_server(["--config", str(config)], {"LAMINAR__PIPELINE__ALLOWED_RESTARTS": "3"})
    server.token = "abcdefgh"
    settings = {s["name"]: s for s in server.ok("/settings")["data"]}
    assert settings["default_checkpoint_interval"]["value"] == "5s" and settings["default_checkpoint_interval"]["origin"] == "file"
    assert settings["pipeline.allowed_restarts"] == {"name": "pipeline.allowed_restarts", "value": 3, "default": 20, "origin": "environment"}
    assert settings["api.auth.tokens"]["value"] == "********"
    query = "CREATE TABLE i WITH (connector = 'impulse', event_rate = '1'); SELECT counter FROM i"
    assert server.created("/pipelines", {"name": "p", "query": query})["checkpoint_interval_micros"] == 5_000_000


def run(request, *arguments, **environment):
    return subprocess.run([request.config.getoption("--laminar"), "server", *arguments], capture_output=True, text=True, env=environment, timeout=60)


def test_names_that_a_token_cannot_have(request, tmp_path):
    refused = run(request, "--port", "0", "--data-dir", str(tmp_path / "d"), LAMINAR_API_TOKENS="server:admin:x")
    assert refused.returncode != 0 and "'server'" in refused.stderr


def test_print_config_and_mistakes(request, tmp_path):
    printed = run(request, "--print-config", "--port", "1234", LAMINAR__API__BIND_ADDRESS="0.0.0.0")
    assert printed.returncode == 0 and "http_port = 1234  # flag" in printed.stdout and 'bind_address = "0.0.0.0"  # environment' in printed.stdout
    wrong = run(request, "--print-config", LAMINAR__API__HTTP_PROT="1")
    assert wrong.returncode != 0 and "api.http_port" in wrong.stderr
    assert run(request, "--print-config", "--port", "many").returncode != 0


def test_settings_of_jobs(start_server, request, tmp_path):
    def changes(interval):
        """How many changes a count over two million rows makes that come as fast as they are taken."""
        server = start_server([], {"LAMINAR__PIPELINE__UPDATE_AGGREGATE_FLUSH_INTERVAL": interval, "LAMINAR__PIPELINE__SOURCE_BATCH_SIZE": "500",
                                   "LAMINAR__WORKER__TASK_SLOTS": "4"})
        query = "CREATE TABLE i WITH (connector = 'impulse', message_count = '2000000', event_rate = '0'); SELECT count(*) AS n FROM i"
        job = server.post(f"/pipelines/{server.created('/pipelines', {'name': 'p' + interval, 'query': query})['id']}/start").json["job_id"]
        server.wait_state(job, "Finished")
        output = server.ok(f"/jobs/{job}/output?limit=10000")
        assert output["data"][-1]["record"] == {"n": 2_000_000}
        assert "'worker.task_slots' has no effect" in (server.folder / "server.log").read_text()
        server.stop()
        return output["total_records"]

    assert changes("1h") < 5 < changes("1ms")
    refused = run(request, "--port", "0", "--data-dir", str(tmp_path / "d"), LAMINAR__PIPELINE__SOURCE_BATCH_SIZE="0")
    assert refused.returncode != 0 and "source_batch_size is from 1 to" in refused.stderr


def test_the_example_of_make_run(request, tmp_path):
    root = pathlib.Path(__file__).resolve().parents[2]
    assert "server --run examples/flights/watch.sql --follow" in (root / "Makefile").read_text()
    binary = pathlib.Path(request.config.getoption("--laminar")).resolve()
    server = subprocess.Popen([binary, "server", "--port", "0", "--data-dir", str(tmp_path / "d"), "--run", "examples/flights/watch.sql", "--follow"],
                              cwd=root, stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().split()[-1]
        assert server.stdout.readline() == "pipeline 'watch' was created and started\n"
        first = {"week": "2000-12-28T00:00:00", "place": 1, "city": "Las Vegas", "state": "NV", "flights": 13, "mean_delay": 19.7}
        assert first in (json.loads(line.removeprefix("c ")) for line in server.stdout)
        with urllib.request.urlopen(url + "/api/v1/pipelines") as answer:
            [pipeline] = json.load(answer)["data"]
        assert (pipeline["name"], pipeline["stateDetail"]) == ("watch", "Running"), "its folder is watched"
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0


def test_one_server_per_data_directory(server, request):
    second = run(request, "--port", "0", "--data-dir", str(server.data_dir))
    assert second.returncode != 0 and "another server" in second.stderr


def test_a_newer_schema_is_refused(server, request):
    if request.config.getoption("--postgres"):
        pytest.skip("looks into the SQLite file")
    server.stop()
    with sqlite3.connect(server.data_dir / "metadata.sqlite") as store:
        store.execute("INSERT INTO laminar_schema VALUES (999)")
    refused = run(request, "--port", "0", "--data-dir", str(server.data_dir))
    assert refused.returncode != 0 and "999" in refused.stderr
