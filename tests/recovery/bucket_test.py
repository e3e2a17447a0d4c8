#!/usr/bin/env python3
"""State and files in a bucket of each kind of object store: killed and gone on with, refused, away for a while, taken over.

    tests/recovery/bucket_test.py --laminar build/dev/laminar [--store s3|gcs|azure] [name…]
"""
import argparse, collections, json, pathlib, shutil, signal, subprocess, sys, tempfile, time, urllib.request

from bucket_servers import SERVERS

TESTS = []


def test(*stores):
    """For these stores; none named: for all."""
    def add(function):
        TESTS.append((function, stores))
        return function
    return add


class Job:
    """`laminar run` of a script with its state at `url`."""

    def __init__(self, cli, script, url, *arguments, **environment):
        self.errors_path = pathlib.Path(tempfile.mkstemp(dir=cli.folder, suffix=".stderr")[1])
        with open(self.errors_path, "w") as errors:
            self.process = subprocess.Popen([cli.laminar, "run", "-q", script, "--state", url, *arguments], env=cli.server.environment(**environment),
                                            stdout=subprocess.DEVNULL, stderr=errors)

    def errors(self):
        return self.errors_path.read_text()

    def until(self, condition, what, seconds=120):
        """Waits while the job runs; False when it ended first."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                return bool(condition())
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self.errors()}"
            time.sleep(0.01)
        return True

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=120)


class Cli:
    def __init__(self, laminar, server, folder):
        self.laminar, self.server, self.folder = laminar, server, folder

    def __call__(self, *arguments, **environment):
        return subprocess.run([self.laminar, *arguments], env=self.server.environment(**environment), capture_output=True, text=True, timeout=120)

    def script(self, text):
        path = pathlib.Path(tempfile.mkstemp(dir=self.folder, suffix=".sql")[1])
        path.write_text(text)
        return path


def manifests(bucket):
    return [name.rsplit("/", 1)[1] for name in bucket.names("state/manifests/")]


def local_manifests(folder):
    below = folder / "state" / "manifests"
    return sorted(path.name for path in below.iterdir()) if below.is_dir() else []


def make_input(folder, files, rows):
    """Rows of 50 keys in time order within each file."""
    folder.mkdir()
    for file in range(files):
        with open(folder / f"{file:03}.json", "w") as out:
            for row in range(rows):
                number = row * files + file
                at = number // 100
                out.write(json.dumps({"id": number, "k": number % 50, "ts": f"2026-03-01T{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}Z"}) + "\n")


def counting(folder, sink):
    return f"""
CREATE TABLE t (id BIGINT, k INT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')
  WITH (connector = 'filesystem', path = '{folder}', type = 'source', format = 'json');
{sink}
INSERT INTO o SELECT k, TUMBLE_START(ts, INTERVAL '1' SECOND), count(*) FROM t GROUP BY k, TUMBLE(ts, INTERVAL '1' SECOND);
"""


def local_sink(path):
    return f"CREATE TABLE o (k INT, start TIMESTAMP, n BIGINT) WITH (connector = 'filesystem', path = '{path}', type = 'sink', format = 'json');"


def watching(folder, out, more=""):
    """Never ends; a file put into `folder` is read within 50 ms."""
    return f"""
CREATE TABLE t (id BIGINT) WITH (connector = 'filesystem', path = '{folder}', type = 'source', format = 'json', 'scan_interval' = '50ms');
CREATE TABLE o (id BIGINT) WITH (connector = 'filesystem', path = '{out}', type = 'sink', format = 'json'{more});
INSERT INTO o SELECT id FROM t;
"""


def put_whole(path, text):
    """Who watches the folder sees all of it or nothing."""
    hidden = path.with_name("." + path.name)
    hidden.write_text(text)
    hidden.rename(path)


def is_hidden(name):
    return any(part[0] in "._" for part in name.split("/"))


def rows_in(bucket, prefix):
    rows = collections.Counter()
    for name in bucket.names(prefix):
        if not is_hidden(name):
            rows.update(bucket.text(name).splitlines())
    return rows


def rows_below(folder):
    rows = collections.Counter()
    for path in folder.rglob("*"):
        if path.is_file() and not any(part[0] in "._" for part in path.relative_to(folder).parts):
            rows.update(path.read_text().splitlines())
    return rows


@test()
def killed_and_gone_on_with(cli):
    bucket = cli.server.bucket("killed")
    make_input(cli.folder / "in", files=8, rows=20_000)
    plain = cli.script(counting(cli.folder / "in", local_sink(cli.folder / "plain")))
    assert subprocess.run([cli.laminar, "run", "-q", plain]).returncode == 0
    script = cli.script(counting(cli.folder / "in", local_sink(cli.folder / "out")))
    kills = 0
    while True:
        before = len(manifests(bucket))
        last = manifests(bucket)[-1] if before else ""
        job = Job(cli, script, bucket.url("state"), "--checkpoint-interval", "50ms", "--parallelism", str(kills % 3 + 1))
        # The seal, and one checkpoint of its own.
        if kills < 3 and job.until(lambda: sum(name > last for name in manifests(bucket)) >= 2, "two manifests") and job.process.poll() is None:
            job.kill()
            kills += 1
            continue
        assert job.process.wait() == 0, job.errors()
        break
    assert kills > 0, "the job ended before it was killed: make the input longer"
    assert rows_below(cli.folder / "out") == rows_below(cli.folder / "plain") != {}
    listed = cli("checkpoint", "ls", bucket.url("state"), "--json")
    assert json.loads(listed.stdout)[-1]["kind"] == "final", listed
    assert cli("checkpoint", "verify", "--all", bucket.url("state")).returncode == 0
    # The options say the same as the environment, and may stand before the URL.
    given = [argument for name, value in cli.server.options().items() for argument in ("--state-option", f"{name}={value}")]
    wrong = {cli.server.endpoint_variable: "http://127.0.0.1:1"}
    by_option = cli("checkpoint", "show", *given, "--json", bucket.url("state"), **wrong)
    assert json.loads(by_option.stdout)["kind"] == "final", by_option
    assert not bucket.unfinished_uploads(), bucket.unfinished_uploads()[:5]


@test("s3")
def url_with_the_host_in_it(cli):
    bucket = cli.server.bucket("host")
    (cli.folder / "watched").mkdir()
    script = cli.script(watching(cli.folder / "watched", cli.folder / "o"))
    url = f"s3::http://127.0.0.1:{cli.server.port}/host/state/"
    job = Job(cli, script, url, "--checkpoint-interval", "50ms", AWS_ENDPOINT_URL="")
    assert job.until(lambda: len(manifests(bucket)) >= 2, "two checkpoints") and job.interrupt() == 130, job.errors()
    listed = cli("checkpoint", "ls", url, AWS_ENDPOINT_URL="")
    assert listed.returncode == 0 and "stopping" in listed.stdout, listed


def leftovers(bucket):
    """Parts of files that never came into place, and our notes of them. Blocks that Azure holds cannot be removed by any call."""
    uploads = [] if bucket.server.name == "azure" else bucket.unfinished_uploads()
    return uploads + [name for name in bucket.names() if "/.tmp/" in name]


@test()
def files_of_a_bucket_killed(cli):
    """Read from a bucket and written to it: no row lost or doubled, no file seen in part, nothing left over."""
    bucket = cli.server.bucket("files")
    wide = "x" * 300
    expected = collections.Counter()
    for file in range(6):
        rows = [json.dumps({"id": file * 100_000 + row, "p": wide}, separators=(",", ":")) for row in range(20_000)]
        expected.update(rows)
        bucket.put(f"in/{file}.json", "\n".join(rows) + "\n")
    bucket.put("in/_hidden.json", "no row")
    script = cli.script(f"""
CREATE TABLE t (id BIGINT, p TEXT) WITH (connector = 'filesystem', path = '{bucket.url('in/*.json')}', type = 'source', format = 'json');
CREATE TABLE o (id BIGINT, p TEXT) WITH (connector = 'filesystem', path = '{bucket.url('out')}', type = 'sink', format = 'json',
  'rolling_policy.file_size' = '13MB', 'multipart.target_part_size' = '5MB');
INSERT INTO o SELECT id, p FROM t;
""")
    kills = 0
    while True:
        last = (manifests(bucket) or [""])[-1]
        job = Job(cli, script, bucket.url("state"), "--checkpoint-interval", "50ms", "--parallelism", str(kills % 2 + 1))
        within_an_upload = lambda: sum(name > last for name in manifests(bucket)) >= 2 + kills and bucket.unfinished_uploads()
        if kills < 3 and job.until(within_an_upload, "an upload after some checkpoints") and job.process.poll() is None:
            job.kill()
            kills += 1
            continue
        assert job.process.wait() == 0, job.errors()
        break
    assert kills > 0, "no kill within an upload: make the input longer"
    got = rows_in(bucket, "out/")
    assert got == expected, f"{len(expected - got)} rows missing, {len(got - expected)} too many, after {kills} kills"
    # The server may answer a request of a killed run after the next one has looked for leftovers: the run after that finds them.
    again = Job(cli, script, bucket.url("state"))
    assert again.process.wait() == 0 and rows_in(bucket, "out/") == expected, again.errors()
    assert not leftovers(bucket), leftovers(bucket)[:5]


@test()
def an_older_checkpoint_takes_its_file_back(cli):
    """A file that was open at the checkpoint, and in place since the end of the job, is written anew from there."""
    bucket = cli.server.bucket("older")
    wide = "x" * 300
    rows = [json.dumps({"id": row, "p": wide}, separators=(",", ":")) for row in range(100_000)]
    (cli.folder / "in.json").write_text("\n".join(rows) + "\n")
    script = cli.script(f"""
CREATE TABLE t (id BIGINT, p TEXT) WITH (connector = 'single_file', path = '{cli.folder}/in.json', type = 'source', format = 'json');
CREATE TABLE o (id BIGINT, p TEXT) WITH (connector = 'filesystem', path = '{bucket.url('out')}', type = 'sink', format = 'json',
  'rolling_policy.file_size' = '1GB', 'multipart.target_part_size' = '5MB');
INSERT INTO o SELECT id, p FROM t;
""")
    job = Job(cli, script, bucket.url("state"), "--checkpoint-interval", "30ms")
    assert job.process.wait() == 0, job.errors()
    assert rows_in(bucket, "out/") == collections.Counter(rows)

    def has_parts(epoch):
        read = cli("checkpoint", "read", bucket.url("state"), str(epoch), "--operator", "sink(o)", "--table", "files")
        assert read.returncode == 0, read.stderr
        return "tag" in read.stdout and "\\\"closed\\\":false" in read.stdout

    epochs = [each["id"] for each in json.loads(cli("checkpoint", "ls", bucket.url("state"), "--json").stdout)]
    older = next((epoch for epoch in epochs if has_parts(epoch)), None)
    assert older is not None, "no checkpoint within an upload: make the input longer"
    again = Job(cli, script, bucket.url("state"), "--restore", str(older))
    assert again.process.wait() == 0, again.errors()
    assert rows_in(bucket, "out/") == collections.Counter(rows)
    assert not leftovers(bucket), leftovers(bucket)[:5]


@test("gcs")
def more_parts_than_are_put_together_at_once(cli):
    bucket = cli.server.bucket("parts")
    with open(cli.folder / "in.json", "w") as out:
        for row in range(17_500):
            out.write(json.dumps({"id": row, "p": f"{row:010}" * 1000}, separators=(",", ":")) + "\n")
    script = cli.script(f"""
CREATE TABLE t (id BIGINT, p TEXT) WITH (connector = 'single_file', path = '{cli.folder}/in.json', type = 'source', format = 'json');
CREATE TABLE o (id BIGINT, p TEXT) WITH (connector = 'filesystem', path = '{bucket.url('out')}', type = 'sink', format = 'json',
  'rolling_policy.file_size' = '1GB', 'multipart.target_part_size' = '5MB');
INSERT INTO o SELECT id, p FROM t;
""")
    done = cli("run", "-q", script)
    assert done.returncode == 0, done.stderr
    names = bucket.names()
    assert len(names) == 1 and names[0].startswith("out/"), names  # and none of its parts
    assert bucket.text(names[0]) == (cli.folder / "in.json").read_text()


@test()
def formats_and_partitions_in_a_bucket(cli):
    bucket = cli.server.bucket("formats")
    make_input(cli.folder / "in", files=2, rows=3000)
    source = f"CREATE TABLE t (id BIGINT, k INT) WITH (connector = 'filesystem', path = '{cli.folder}/in', type = 'source', format = 'json');"
    storage = ", ".join(f"'storage.{name}' = '{value}'" for name, value in cli.server.options().items())
    for name, options in [("parquet", "format = 'parquet'"), ("gzip", "format = 'json', compression = 'gzip'"), ("csv", "format = 'csv', 'filename.strategy' = 'serial'")]:
        write = cli("run", "-q", cli.script(f"""{source}
CREATE TABLE o (id BIGINT, k INT) WITH (connector = 'filesystem', path = '{bucket.url(name)}', type = 'sink', {options}, partition_by = 'k');
INSERT INTO o SELECT id, k FROM t;"""))
        assert write.returncode == 0, write.stderr
        format_option = options.split(",")[0]
        read = cli("run", "-q", cli.script(f"""
CREATE TABLE t (id BIGINT, k INT) WITH (connector = 'filesystem', path = '{bucket.url(name)}', type = 'source', {format_option}, {storage});
SELECT count(*) AS n, sum(id) AS s, count(DISTINCT k) AS ks FROM t;"""))
        assert read.returncode == 0, read.stderr
        assert json.loads(read.stdout.splitlines()[-1])["after"] == {"n": 6000, "s": 5999 * 3000, "ks": 50}, read.stdout[-300:]
    missing = cli("run", "-q", cli.script(f"CREATE TABLE t (id BIGINT) WITH (connector = 'filesystem', path = '{bucket.url('none')}', type = 'source', format = 'json'); SELECT id FROM t;"))
    assert missing.returncode == 1 and "no object" in missing.stderr, missing


@test("s3", "azure")  # the other forgets its objects when it stops
def sink_waits_for_its_bucket(cli):
    bucket = cli.server.bucket("sink")
    watched = cli.folder / "watched"
    watched.mkdir()
    job = Job(cli, cli.script(watching(watched, bucket.url("out"), ", 'rolling_policy.interval' = '100ms'")), str(cli.folder / "state"), "--checkpoint-interval", "100ms")
    assert job.until(lambda: len(local_manifests(cli.folder)) >= 2, "two checkpoints"), job.errors()
    cli.server.stop()
    put_whole(watched / "1.json", "".join(f'{{"id": {row}}}\n' for row in range(500_000)))
    last = local_manifests(cli.folder)[-1]
    # The state is local, so checkpoints go on; rows that cannot be sent are part of them.
    assert job.until(lambda: local_manifests(cli.folder)[-1] > last, "checkpoints while the bucket is away"), job.errors()
    cli.server.start()
    expected = collections.Counter(f'{{"id":{row}}}' for row in range(500_000))
    assert job.until(lambda: sum(rows_in(bucket, "out/").values()) >= 500_000, "all rows"), job.errors()
    assert job.interrupt() == 130, job.errors()
    assert rows_in(bucket, "out/") == expected


@test()
def refused(cli):
    store, bucket = cli.server, cli.server.bucket("refused")
    (cli.folder / "watched").mkdir()
    script = cli.script(watching(cli.folder / "watched", cli.folder / "o"))
    if store.secret:
        secret = "bm90LXRoZS1zZWNyZXQtOTNhMQ=="
        wrong = {store.secret_variable: secret}
        for done in [cli("run", script, "--state", bucket.url("state"), **wrong), cli("checkpoint", "ls", bucket.url("state"), **wrong)]:
            assert done.returncode == 1 and store.denied in done.stderr and store.hint in done.stderr, done
            assert secret not in done.stderr and "laminar-access" not in done.stderr, done.stderr
    missing = cli("run", script, "--state", store.url("no-such-bucket", "state"))
    assert missing.returncode == 1 and store.no_bucket in missing.stderr, missing
    in_url = cli("run", script, "--state", store.url_with_credentials("refused"))
    assert in_url.returncode == 1 and "credentials in a URL are refused" in in_url.stderr and "@" not in in_url.stderr, in_url
    misspelt = cli("checkpoint", "ls", bucket.url("state"), "--state-option", f"{store.misspelt}=x")
    assert misspelt.returncode == 1 and f"did you mean '{store.meant}'?" in misspelt.stderr, misspelt


@test("s3", "azure")
def away_for_a_while(cli):
    bucket = cli.server.bucket("away")
    watched = cli.folder / "watched"
    watched.mkdir()
    job = Job(cli, cli.script(watching(watched, cli.folder / "o")), bucket.url("state"), "--checkpoint-interval", "100ms")
    assert job.until(lambda: len(manifests(bucket)) >= 3, "three checkpoints"), job.errors()
    cli.server.stop()
    put_whole(watched / "1.json", '{"id": 1}\n')
    assert job.until(lambda: "a checkpoint failed" in job.errors(), "a failed checkpoint"), job.errors()
    assert job.process.poll() is None
    cli.server.start()
    last = manifests(bucket)[-1]
    assert job.until(lambda: manifests(bucket)[-1] > last, "a checkpoint after the server came back"), job.errors()
    assert job.until(lambda: "1.json" in cli("checkpoint", "show", bucket.url("state")).stdout, "the row in a checkpoint"), job.errors()
    assert job.interrupt() == 130, job.errors()
    assert list(rows_below(cli.folder / "o")) == ['{"id":1}']


@test()
def taken_over_by_a_second_run(cli):
    bucket = cli.server.bucket("taken")
    (cli.folder / "watched").mkdir()
    script = cli.script(watching(cli.folder / "watched", cli.folder / "o"))
    first = Job(cli, script, bucket.url("state"), "--checkpoint-interval", "50ms")
    assert first.until(lambda: len(manifests(bucket)) >= 3, "three checkpoints"), first.errors()
    second = Job(cli, script, bucket.url("state"), "--checkpoint-interval", "50ms")
    assert first.process.wait(timeout=120) == 1 and "taken over" in first.errors(), first.errors()
    last = manifests(bucket)[-1]
    assert second.until(lambda: manifests(bucket)[-1] > last, "the second run's checkpoints"), second.errors()
    assert second.interrupt() == 130, second.errors()


@test()
def options_of_a_server_reach_its_jobs(cli):
    """Nothing in the environment: where the bucket is and who asks comes from the server's settings alone."""
    bucket = cli.server.bucket("server")
    watched = cli.folder / "watched"
    watched.mkdir()
    settings = cli.folder / "server.toml"
    lines = [f'{name} = "{value}"' for name, value in cli.server.options().items()]
    settings.write_text(f'checkpoint_url = "{bucket.url("")[:-1]}"\ndefault_checkpoint_interval = "100ms"\n[checkpoint_storage]\n' + "\n".join(lines) + "\n")
    environment = {name: value for name, value in cli.server.environment().items() if name not in cli.server.variables()}
    command = [cli.laminar, "server", "--config", settings, "--data-dir", cli.folder / "data", "--port", "0"]
    shown = subprocess.run([*command, "--print-config"], env=environment, capture_output=True, text=True)
    assert shown.returncode == 0 and not (cli.server.secret and cli.server.secret in shown.stdout), shown
    process = subprocess.Popen([*command, "--run", cli.script(watching(watched, cli.folder / "o"))], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert "listening" in process.stdout.readline()
        deadline = time.monotonic() + 60
        while sum("/manifests/" in name for name in bucket.names()) < 3:
            assert time.monotonic() < deadline and process.poll() is None, (bucket.names(), [path.read_text()[-500:] for path in (cli.folder / "data" / "logs").glob("*")])
            time.sleep(0.05)
    finally:
        process.terminate()
        process.wait()
    refused = subprocess.run(command, env={**environment, f"LAMINAR__CHECKPOINT_STORAGE__{cli.server.misspelt.upper()}": "x"}, capture_output=True, text=True, timeout=60)
    assert refused.returncode != 0 and f"did you mean '{cli.server.meant}'?" in refused.stderr, refused


def ask(url, method, path):
    with urllib.request.urlopen(urllib.request.Request(url + "/api/v1" + path, method=method), timeout=60) as answer:
        return json.loads(answer.read() or "null")


@test()
def a_deleted_pipeline_leaves_nothing(cli):
    """Its state goes in the background; where the store is away meanwhile, or the server killed, later."""
    bucket = cli.server.bucket("deleted")
    watched = cli.folder / "watched"
    watched.mkdir()
    script = cli.script(watching(watched, cli.folder / "o"))

    def server(*arguments):
        process = subprocess.Popen([cli.laminar, "server", "--data-dir", cli.folder / "data", "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                   env=cli.server.environment(LAMINAR__CHECKPOINT_URL=bucket.url("states"), LAMINAR__DEFAULT_CHECKPOINT_INTERVAL="100ms"))
        line = process.stdout.readline()
        assert line.startswith("listening"), line
        return process, line.split()[-1]

    def until(condition, what):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, (what, bucket.names())
            time.sleep(0.05)

    def put_aside():
        """The only pipeline is deleted once it has state."""
        until(lambda: sum("/manifests/" in name for name in bucket.names()) >= 3, "checkpoints")
        [pipeline] = ask(url, "GET", "/pipelines")["data"]
        if is_away:
            ask(url, "POST", f"/pipelines/{pipeline['id']}/stop")
            until(lambda: ask(url, "GET", f"/pipelines/{pipeline['id']}")["state"] == "Stopped", "the end of the job")
            cli.server.stop()
        ask(url, "DELETE", f"/pipelines/{pipeline['id']}?force=true")

    is_away = False
    process, url = server("--run", script)
    try:
        put_aside()
        until(lambda: not bucket.names() and not list((cli.folder / "data" / "deleted").iterdir()), "the state to go")
        if cli.server.name == "gcs":  # whose emulator forgets everything when it ends
            return
        process.terminate()
        process.wait()
        process, url = server("--run", script)
        is_away = True
        put_aside()
        process.kill()
        process.wait()
        cli.server.start()
        assert bucket.names() and list((cli.folder / "data" / "deleted").iterdir())
        process, url = server()
        until(lambda: not bucket.names() and not list((cli.folder / "data" / "deleted").iterdir()), "the state to go after a restart")
    finally:
        process.kill()
        process.wait()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--laminar", required=True)
    arguments.add_argument("--store", choices=[server.name for server in SERVERS])
    arguments.add_argument("names", nargs="*")
    options = arguments.parse_args()
    passed = 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="laminar-bucket-"))
    try:
        for kind in SERVERS:
            chosen = [function for function, stores in TESTS if (not stores or kind.name in stores) and (not options.names or function.__name__ in options.names)]
            if not chosen or options.store not in (None, kind.name):
                continue
            with kind(folder) as server:
                for function in chosen:
                    own = folder / f"{kind.name}-{function.__name__}"
                    own.mkdir()
                    began = time.monotonic()
                    function(Cli(options.laminar, server, own))
                    passed += 1
                    print(f"{kind.name} {function.__name__}: ok ({time.monotonic() - began:.1f} s)", flush=True)
    except BaseException:
        print(f"kept {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
