"""A server of its own for each test: the real binary, a fresh data directory, a free port.

  pytest tests/api --laminar build/dev/laminar
  pytest tests/api --laminar build/dev/laminar --postgres    the same with metadata in PostgreSQL
"""

import getpass

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest


def pytest_addoption(parser):
    parser.addoption("--laminar", default="build/dev/laminar", help="the binary to test")
    parser.addoption("--postgres", action="store_true", help="metadata in a PostgreSQL cluster made for the session")


class Cluster:
    """A PostgreSQL server of our own, on a socket in a folder of its own. It refuses to run as root."""

    BIN = "/usr/lib/postgresql/15/bin/"

    def __init__(self, folder):
        self.folder, self.count = folder, 0
        os.chmod(folder, 0o777)
        self.run("initdb", "-D", f"{folder}/cluster", "-U", "laminar", "-A", "trust", "--no-sync")
        self.run("pg_ctl", "-D", f"{folder}/cluster", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -h '' -F", "start")

    def run(self, program, *arguments):
        command = [self.BIN + program, *arguments]
        if getpass.getuser() == "root":
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def database(self):
        self.count += 1
        self.run("createdb", "-h", self.folder, "-U", "laminar", f"d{self.count}")
        return f"host={self.folder} user=laminar dbname=d{self.count}"

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/cluster", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def cluster(request):
    if not request.config.getoption("--postgres"):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        made = Cluster(folder)
        yield made
        made.stop()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def error(self):
        """Code of an error answer, whose shape is checked."""
        error = self.json["error"]
        assert set(error) == {"code", "message", "details"} and isinstance(error["details"], dict), error
        assert error["message"], error
        return error["code"]

    def __repr__(self):
        return f"{self.status} {self.text[:2000]}"


class Server:
    def __init__(self, binary, folder, arguments=(), environment=None):
        self.binary, self.folder = str(pathlib.Path(binary).resolve()), pathlib.Path(folder)
        self.data_dir = self.folder / "data"
        self.arguments, self.environment = list(arguments), environment or {}
        self.token = None
        self.start()

    def start(self):
        self.log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(
            [self.binary, "server", "--port", "0", "--data-dir", str(self.data_dir), *self.arguments],
            stdout=subprocess.PIPE, stderr=self.log, cwd=self.folder, env={**os.environ, **self.environment}, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), (line, (self.folder / "server.log").read_text())
        self.url = line.split()[-1]

    def stop(self, with_signal=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.log.close()

    def request(self, method, path, body=None, headers=None, raw=None, base="/api/v1"):
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        headers = dict(headers or {})
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        if self.token:
            headers.setdefault("Authorization", "Bearer " + self.token)
        request = urllib.request.Request(self.url + base + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def patch(self, path, body=None, **options):
        return self.request("PATCH", path, body, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def created(self, path, body):
        answer = self.post(path, body)
        assert answer.status == 201, answer
        return answer.json

    def ok(self, path):
        answer = self.get(path)
        assert answer.status == 200, answer
        return answer.json

    def wait(self, path, condition, seconds=60):
        """Polls until the answer satisfies the condition."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.get(path)
            if answer.status == 200 and condition(answer.json):
                return answer.json
            assert time.monotonic() < deadline, f"{path} still is {answer}"
            time.sleep(0.02)

    def wait_state(self, job, *details, seconds=60):
        return self.wait(f"/jobs/{job}", lambda j: j["stateDetail"] in details, seconds)

    def events(self, path, method="GET", body=None, headers=None, limit=1000):
        """Server-sent events as (event, data) until the stream ends or `limit` have come."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/api/v1" + path, data=data, method=method,
                                         headers={"Accept": "text/event-stream", "Content-Type": "application/json", **(headers or {})})
        out, event, text, number = [], None, "", None
        with urllib.request.urlopen(request, timeout=60) as stream:
            for line in stream:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("id: "):
                    number = int(line[4:]) if line[4:].isdigit() else line[4:]
                elif line.startswith("data: "):
                    text += line[6:]
                elif not line and event:
                    out.append((event, json.loads(text), number))
                    event, text = None, ""
                    if len(out) >= limit:
                        break
        return out


@pytest.fixture
def start_server(request, tmp_path, cluster):
    servers = []

    def start(arguments=(), environment=None):
        if cluster:
            environment = {"LAMINAR__DATABASE__TYPE": "postgres", "LAMINAR__DATABASE__URL": cluster.database(), **(environment or {})}
        server = Server(request.config.getoption("--laminar"), tmp_path, arguments, environment)
        servers.append(server)
        return server

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)


@pytest.fixture
def server(start_server):
    return start_server()


def impulse(rate=100, count=None):
    """A FROM item that makes rows by itself."""
    more = f", message_count = '{count}'" if count is not None else ""
    return f"CREATE TABLE impulse WITH (connector = 'impulse', event_rate = '{rate}'{more});\n"
