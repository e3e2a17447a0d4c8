"""A schema-driven tester calls every endpoint with bodies made from OpenAPI: no server error, no answer but those it names."""

import subprocess
import sys

import pytest


def test_schemathesis(server):
    pytest.importorskip("schemathesis")
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", server.url + "/api/v1/openapi.json", "--url", server.url + "/api/v1",
         "--checks", "not_a_server_error,content_type_conformance,response_schema_conformance", "--max-examples", "5", "--seed", "1",
         "--exclude-path-regex", "/events|preview", "--suppress-health-check", "all", "--phases", "examples,fuzzing"],
        capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert server.get("/ping").json == "Pong"
