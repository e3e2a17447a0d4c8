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


def test_functions_by_command(server, tmp_path):
    file = tmp_path / "f.sql"
    file.write_text("CREATE FUNCTION twice(x BIGINT)\n  RETURNS BIGINT AS x * 2;\n")
    code, out, err = client(server, "udf", "create", "-f", str(file), "-o", "json")
    assert code == 0 and json.loads(out)["name"] == "twice", err
    code, out, _ = client(server, "udf", "list")
    assert code == 0 and "twice" in out and "BIGINT" in out
    assert client(server, "udf", "delete", "twice")[0] == 0 and client(server, "udf", "get", "twice")[0] == 1
    file.write_text("CREATE FUNCTION twice(x BIGINT)\n  RETURNS BIGINT AS y * 2")
    code, _, err = client(server, "udf", "create", "-f", str(file))
    assert code == 1 and "no parameter 'y' in function 'twice'" in err, err


def test_apply(server, tmp_path):
    folder = tmp_path / "objects"
    (folder / "profiles").mkdir(parents=True)
    profile = folder / "profiles" / "k.toml"
    profile.write_text('name = "k"\nconnector = "kafka"\n[config]\nbootstrapServers = "a:1"\n[config.authentication]\ntype = "SASL"\nusername = "u"\npassword = "hidden"\n')
    (folder / "in.yaml").write_text("kind: table\nname: nums\nconnector: single_file\nconfig:\n  path: 'in.json'\n  type: source\nschema:\n  fields:\n    - {name: n, type: BIGINT}\n")
    (folder / "count.sql").write_text(impulse() + "SELECT counter\nFROM impulse\n")
    code, out, err = client(server, "apply", "-f", str(folder), "--dry-run")
    assert code == 0 and out.splitlines() == ["+ profile k", "+ table nums", "+ pipeline count", "3 changes (nothing was changed)"], (out, err)
    assert server.ok("/pipelines")["data"] == []
    assert client(server, "apply", "-f", str(folder))[0] == 0
    assert server.ok("/connection_tables")["data"][0]["schema"]["fields"][0]["data_type"] == "BIGINT"
    profile.write_text(profile.read_text().replace("a:1", "b:1"))
    (folder / "count.sql").write_text(impulse() + "SELECT counter\nFROM impulse\nWHERE counter > 5\n")
    for arguments in (["--dry-run"], []):
        code, out, err = client(server, "apply", "-f", str(folder), *arguments)
        assert code == 0 and '  config.bootstrapServers: "a:1" -> "b:1"' in out and "    + WHERE counter > 5" in out and "hidden" not in out, (out, err)
    assert server.ok("/connection_profiles")["data"][0]["config"]["bootstrapServers"] == "b:1"
    assert server.ok("/pipelines")["data"][0]["query"].endswith("WHERE counter > 5\n")
    (folder / "bad.yaml").write_text("kind: table\nname: [")
    code, _, err = client(server, "apply", "-f", str(folder))
    assert code == 1 and "bad.yaml" in err and "line" in err


def test_completion(server):
    script = subprocess.run([server.binary, "completion", "bash"], capture_output=True, text=True, check=True).stdout

    def completed(*words):
        quoted = " ".join(f"'{w}'" for w in words)
        run = script + f"\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _laminar; echo ${{COMPREPLY[@]}}"
        return subprocess.run(["bash", "-c", run], capture_output=True, text=True, check=True).stdout.split()

    assert completed("laminar", "pipel") == ["pipeline"]
    assert {"list", "start", "savepoint"} <= set(completed("laminar", "pipeline", "")) and "start" not in completed("laminar", "profile", "")
    assert completed("laminar", "pipeline", "stop", "p", "--mo") == ["--mode"]
    for shell in ("zsh", "fish"):
        assert "savepoint" in subprocess.run([server.binary, "completion", shell], capture_output=True, text=True, check=True).stdout
