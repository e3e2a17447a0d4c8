"""A schema-driven tester calls every endpoint with bodies made from OpenAPI: no server error, no answer but those it names."""

import re
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
    failures = set(re.findall(r"- (ST\d+) ", done.stdout)), set(re.findall(r"^\[(\d+)\] ", done.stdout, re.M))
    # What is not in this build answers 501, which the tester counts as a server error.
    known = done.returncode == 1 and failures == ({"ST101"}, {"501"})
    assert done.returncode == 0 or known, done.stdout[-6000:] + done.stderr[-2000:]
    assert server.get("/ping").json == "Pong"
