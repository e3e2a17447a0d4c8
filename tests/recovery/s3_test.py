#!/usr/bin/env python3
"""State and files in a bucket, against a server that checks signatures: killed and gone on with, refused, away for a while, taken over.

    tests/recovery/s3_test.py --laminar build/dev/laminar [name…]
"""
import argparse, collections, json, pathlib, shutil, signal, subprocess, sys, tempfile, time

from s3_server import ACCESS_KEY, SECRET_KEY, S3Server

TESTS = []


def test(function):
    TESTS.append(function)
    return function


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


def manifests(bucket, below="state"):
    folder = bucket / below / "manifests"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


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


def rows_below(folder):
    rows = collections.Counter()
    for path in folder.rglob("*"):
        if path.is_file() and not any(part[0] in "._" for part in path.relative_to(folder).parts):
            rows.update(path.read_text().splitlines())
    return rows


@test
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
        job = Job(cli, script, "s3://killed/state", "--checkpoint-interval", "50ms", "--parallelism", str(kills % 3 + 1))
        # The seal, and one checkpoint of its own.
        if kills < 5 and job.until(lambda: sum(name > last for name in manifests(bucket)) >= 2, "two manifests") and job.process.poll() is None:
            job.kill()
            kills += 1
            continue
        assert job.process.wait() == 0, job.errors()
        break
    assert kills > 0, "the job ended before it was killed: make the input longer"
    assert rows_below(cli.folder / "out") == rows_below(cli.folder / "plain") != {}
    listed = cli("checkpoint", "ls", "s3://killed/state", "--json")
    assert json.loads(listed.stdout)[-1]["kind"] == "final", listed
    assert cli("checkpoint", "verify", "--all", "s3://killed/state").returncode == 0
    # The options say the same as the environment, and may stand before the URL.
    by_option = cli("checkpoint", "show", "--state-option", f"aws_endpoint=http://127.0.0.1:{cli.server.port}", "--state-option", f"aws_access_key_id={ACCESS_KEY}",
                    "--state-option", f"aws_secret_access_key={SECRET_KEY}", "--json", "s3://killed/state", AWS_ENDPOINT_URL="", AWS_SECRET_ACCESS_KEY="x")
    assert json.loads(by_option.stdout)["kind"] == "final", by_option
    at_host = cli("checkpoint", "ls", f"s3::http://127.0.0.1:{cli.server.port}/killed/state/", AWS_ENDPOINT_URL="")
    assert at_host.returncode == 0 and "final" in at_host.stdout, at_host


def unfinished(bucket):
    """What the server holds of uploads that are neither completed nor aborted, and our notes of them."""
    return [path for path in bucket.rglob("*") if path.is_file() and (".sgwtmp" in path.parts or ".tmp" in path.parts)]


@test
def files_of_a_bucket_killed(cli):
    """Read from a bucket and written to it: no row lost or doubled, no file seen in part, nothing left over."""
    bucket = cli.server.bucket("files")
    wide = "x" * 300
    expected = collections.Counter()
    (bucket / "in").mkdir()
    for file in range(6):
        rows = [json.dumps({"id": file * 100_000 + row, "p": wide}, separators=(",", ":")) for row in range(20_000)]
        expected.update(rows)
        (bucket / "in" / f"{file}.json").write_text("\n".join(rows) + "\n")
    (bucket / "in" / "_hidden.json").write_text("no row")
    script = cli.script("""
CREATE TABLE t (id BIGINT, p TEXT) WITH (connector = 'filesystem', path = 's3://files/in/*.json', type = 'source', format = 'json');
CREATE TABLE o (id BIGINT, p TEXT) WITH (connector = 'filesystem', path = 's3://files/out', type = 'sink', format = 'json',
  'rolling_policy.file_size' = '13MB', 'multipart.target_part_size' = '5MB');
INSERT INTO o SELECT id, p FROM t;
""")
    kills = begun = 0
    while True:
        last = (manifests(bucket) or [""])[-1]
        job = Job(cli, script, "s3://files/state", "--checkpoint-interval", "50ms", "--parallelism", str(kills % 2 + 1))
        if kills < 5 and job.until(lambda: sum(name > last for name in manifests(bucket)) >= 2 + kills, "manifests") and job.process.poll() is None:
            job.kill()
            kills += 1
            begun += any(".sgwtmp" in path.parts for path in unfinished(bucket))
            continue
        assert job.process.wait() == 0, job.errors()
        break
    assert kills > 0 and begun > 0, f"{kills} kills, {begun} of them within an upload: make the input longer"
    got = rows_below(bucket / "out")
    assert got == expected, f"{len(expected - got)} rows missing, {len(got - expected)} too many, after {kills} kills"
    assert not unfinished(bucket), unfinished(bucket)[:5]
    again = Job(cli, script, "s3://files/state")
    assert again.process.wait() == 0 and rows_below(bucket / "out") == expected, again.errors()


@test
def an_older_checkpoint_takes_its_file_back(cli):
    """A file that was open at the checkpoint, and in place since the end of the job, is written anew from there."""
    bucket = cli.server.bucket("older")
    wide = "x" * 300
    rows = [json.dumps({"id": row, "p": wide}, separators=(",", ":")) for row in range(100_000)]
    (cli.folder / "in.json").write_text("\n".join(rows) + "\n")
    script = cli.script(f"""
CREATE TABLE t (id BIGINT, p TEXT) WITH (connector = 'single_file', path = '{cli.folder}/in.json', type = 'source', format = 'json');
CREATE TABLE o (id BIGINT, p TEXT) WITH (connector = 'filesystem', path = 's3://older/out', type = 'sink', format = 'json',
  'rolling_policy.file_size' = '1GB', 'multipart.target_part_size' = '5MB');
INSERT INTO o SELECT id, p FROM t;
""")
    job = Job(cli, script, "s3://older/state", "--checkpoint-interval", "30ms")
    assert job.process.wait() == 0, job.errors()
    assert rows_below(bucket / "out") == collections.Counter(rows)

    def has_parts(epoch):
        read = cli("checkpoint", "read", "s3://older/state", str(epoch), "--operator", "sink(o)", "--table", "files")
        assert read.returncode == 0, read.stderr
        return "etag" in read.stdout and "\\\"closed\\\":false" in read.stdout

    epochs = [each["id"] for each in json.loads(cli("checkpoint", "ls", "s3://older/state", "--json").stdout)]
    older = next((epoch for epoch in epochs if has_parts(epoch)), None)
    assert older is not None, "no checkpoint within an upload: make the input longer"
    again = Job(cli, script, "s3://older/state", "--restore", str(older))
    assert again.process.wait() == 0, again.errors()
    assert rows_below(bucket / "out") == collections.Counter(rows)
    assert not unfinished(bucket), unfinished(bucket)[:5]


@test
def formats_and_partitions_in_a_bucket(cli):
    cli.server.bucket("formats")
    make_input(cli.folder / "in", files=2, rows=3000)
    source = f"CREATE TABLE t (id BIGINT, k INT) WITH (connector = 'filesystem', path = '{cli.folder}/in', type = 'source', format = 'json');"
    for name, options in [("parquet", "format = 'parquet'"), ("gzip", "format = 'json', compression = 'gzip'"), ("csv", "format = 'csv', 'filename.strategy' = 'serial'")]:
        write = cli("run", "-q", cli.script(f"""{source}
CREATE TABLE o (id BIGINT, k INT) WITH (connector = 'filesystem', path = 's3://formats/{name}', type = 'sink', {options}, partition_by = 'k');
INSERT INTO o SELECT id, k FROM t;"""))
        assert write.returncode == 0, write.stderr
        format_option = options.split(",")[0]
        read = cli("run", "-q", cli.script(f"""
CREATE TABLE t (id BIGINT, k INT) WITH (connector = 'filesystem', path = 's3://formats/{name}', type = 'source', {format_option},
  'storage.aws_region' = 'us-east-1');
SELECT count(*) AS n, sum(id) AS s, count(DISTINCT k) AS ks FROM t;"""))
        assert read.returncode == 0, read.stderr
        assert json.loads(read.stdout.splitlines()[-1])["after"] == {"n": 6000, "s": 5999 * 3000, "ks": 50}, read.stdout[-300:]
    missing = cli("run", "-q", cli.script("CREATE TABLE t (id BIGINT) WITH (connector = 'filesystem', path = 's3://formats/none', type = 'source', format = 'json'); SELECT id FROM t;"))
    assert missing.returncode == 1 and "no object" in missing.stderr, missing


@test
def sink_waits_for_its_bucket(cli):
    bucket = cli.server.bucket("sink")
    watched = cli.folder / "watched"
    watched.mkdir()
    job = Job(cli, cli.script(watching(watched, "s3://sink/out", ", 'rolling_policy.interval' = '100ms'")), str(cli.folder / "state"), "--checkpoint-interval", "100ms")
    assert job.until(lambda: len(manifests(cli.folder)) >= 2, "two checkpoints"), job.errors()
    cli.server.stop()
    (watched / "1.json").write_text("".join(f'{{"id": {row}}}\n' for row in range(500_000)))
    last = manifests(cli.folder)[-1]
    # The state is local, so checkpoints go on; rows that cannot be sent are part of them.
    assert job.until(lambda: manifests(cli.folder)[-1] > last, "checkpoints while the bucket is away"), job.errors()
    cli.server.start()
    expected = collections.Counter(f'{{"id":{row}}}' for row in range(500_000))
    assert job.until(lambda: sum(rows_below(bucket / "out").values()) >= 500_000, "all rows"), job.errors()
    assert job.interrupt() == 130, job.errors()
    assert rows_below(bucket / "out") == expected


@test
def wrong_secret_is_refused(cli):
    cli.server.bucket("refused")
    (cli.folder / "watched").mkdir()
    script = cli.script(watching(cli.folder / "watched", cli.folder / "o"))
    secret = "not-the-secret-93a1"
    for done in [cli("run", script, "--state", "s3://refused/state", AWS_SECRET_ACCESS_KEY=secret), cli("checkpoint", "ls", "s3://refused/state", AWS_SECRET_ACCESS_KEY=secret)]:
        assert done.returncode == 1 and "SignatureDoesNotMatch" in done.stderr and "check the access key id" in done.stderr, done
        assert secret not in done.stderr and ACCESS_KEY not in done.stderr, done.stderr
    missing = cli("run", script, "--state", "s3://no-such-bucket/state")
    assert missing.returncode == 1 and "NoSuchBucket" in missing.stderr, missing
    in_url = cli("run", script, "--state", f"s3://{ACCESS_KEY}:{SECRET_KEY}@refused/state")
    assert in_url.returncode == 1 and "credentials in a URL are refused" in in_url.stderr and SECRET_KEY not in in_url.stderr, in_url
    misspelt = cli("checkpoint", "ls", "s3://refused/state", "--state-option", "aws_regoin=x")
    assert misspelt.returncode == 1 and "did you mean 'aws_region'?" in misspelt.stderr, misspelt


@test
def away_for_a_while(cli):
    bucket = cli.server.bucket("away")
    watched = cli.folder / "watched"
    watched.mkdir()
    job = Job(cli, cli.script(watching(watched, cli.folder / "o")), "s3://away/state", "--checkpoint-interval", "100ms")
    assert job.until(lambda: len(manifests(bucket)) >= 3, "three checkpoints"), job.errors()
    cli.server.stop()
    (watched / "1.json").write_text('{"id": 1}\n')
    assert job.until(lambda: "a checkpoint failed" in job.errors(), "a failed checkpoint"), job.errors()
    assert job.process.poll() is None
    last = manifests(bucket)[-1]
    cli.server.start()
    assert job.until(lambda: manifests(bucket)[-1] > last, "a checkpoint after the server came back"), job.errors()
    assert job.until(lambda: "1.json" in cli("checkpoint", "show", "s3://away/state").stdout, "the row in a checkpoint"), job.errors()
    assert job.interrupt() == 130, job.errors()
    assert list(rows_below(cli.folder / "o")) == ['{"id":1}']


@test
def taken_over_by_a_second_run(cli):
    bucket = cli.server.bucket("taken")
    (cli.folder / "watched").mkdir()
    script = cli.script(watching(cli.folder / "watched", cli.folder / "o"))
    first = Job(cli, script, "s3://taken/state", "--checkpoint-interval", "50ms")
    assert first.until(lambda: len(manifests(bucket)) >= 3, "three checkpoints"), first.errors()
    second = Job(cli, script, "s3://taken/state", "--checkpoint-interval", "50ms")
    assert first.process.wait(timeout=120) == 1 and "taken over" in first.errors(), first.errors()
    last = manifests(bucket)[-1]
    assert second.until(lambda: manifests(bucket)[-1] > last, "the second run's checkpoints"), second.errors()
    assert second.interrupt() == 130, second.errors()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--laminar", required=True)
    arguments.add_argument("names", nargs="*")
    options = arguments.parse_args()
    chosen = [function for function in TESTS if not options.names or function.__name__ in options.names]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="laminar-s3-"))
    try:
        with S3Server(folder) as server:
            for function in chosen:
                (folder / function.__name__).mkdir()
                began = time.monotonic()
                function(Cli(options.laminar, server, folder / function.__name__))
                print(f"{function.__name__}: ok ({time.monotonic() - began:.1f} s)")
    except BaseException:
        print(f"kept {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)
    print(f"{len(chosen)} passed, 0 failed")


if __name__ == "__main__":
    main()
