"""The commands that are clients of the API."""

import json
import subprocess

from conftest import impulse


def client(server, *arguments, **options):
    done = subprocess.run([server.binary, *arguments, "--server", server.url], capture_output=True, text=True, timeout=60, **options)
    return done.returncode, done.stdout, done.stderr


def test_objects_by_command(server, tmp_path):
    query = tmp_path / "counting.sql"
    query.write_text(impulse(100) + "SELECT counter FROM impulse")
    code, out, err = client(server, "pipeline", "create", "-f", str(query), "-o", "json")
    assert code == 0 and json.loads(out)["name"] == "counting", err
    assert client(server, "pipeline", "start", "counting")[0] == 0
    job = server.ok("/jobs")["data"][0]["id"]
    server.wait_state(job, "Running")
    code, out, _ = client(server, "pipeline", "list")
    assert code == 0 and out.splitlines()[0].split()[:2] == ["id", "name"] and "Running" in out
    assert json.loads(client(server, "job", "metrics", job, "-o", "json")[1])["operators"]
    assert client(server, "pipeline", "logs", "counting")[0] == 0
    assert client(server, "job", "stop", job, "--mode", "immediate")[0] == 0
    server.wait_state(job, "Stopped")
    assert client(server, "pipeline", "delete", "counting")[0] == 0
    code, _, err = client(server, "pipeline", "get", "counting")
    assert code == 1 and "counting" in err


def test_apply(server, tmp_path):
    folder = tmp_path / "objects"
    (folder / "profiles").mkdir(parents=True)
    (folder / "profiles" / "k.toml").write_text('name = "k"\nconnector = "kafka"\n[config]\nbootstrapServers = "a:1"\n')
    (folder / "count.sql").write_text(impulse() + "SELECT counter FROM impulse")
    code, out, err = client(server, "apply", "-f", str(folder), "--dry-run")
    assert code == 0 and out.splitlines()[:2] == ["+ profile k", "+ pipeline count"], err
    assert server.ok("/pipelines")["data"] == []
    assert client(server, "apply", "-f", str(folder))[0] == 0
    assert client(server, "apply", "-f", str(folder))[1] == "0 changes\n"
    (folder / "profiles" / "k.toml").write_text('name = "k"\nconnector = "kafka"\n[config]\nbootstrapServers = "b:1"\n')
    assert "~ profile k: config" in client(server, "apply", "-f", str(folder))[1]
    assert server.ok("/connection_profiles")["data"][0]["config"] == {"bootstrapServers": "b:1"}
