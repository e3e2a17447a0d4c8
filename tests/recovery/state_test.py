#!/usr/bin/env python3
"""`laminar run --state` and `laminar checkpoint` as a user meets them.

    tests/recovery/state_test.py --laminar build/dev/laminar [name…]
"""
import argparse, json, os, pathlib, signal, subprocess, sys, tempfile, traceback

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Place:
    """A folder, and the binary run in it."""

    def __init__(self, binary, folder):
        self.binary, self.folder = str(pathlib.Path(binary).resolve()), pathlib.Path(folder)

    def __call__(self, *args, code=0):
        done = subprocess.run([self.binary, *map(str, args)], capture_output=True, text=True, cwd=self.folder, timeout=60)
        assert done.returncode == code, f"{args} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def lines(self, name):
        path = self.folder / name
        files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        return sorted(line for file in files for line in file.read_text().splitlines())


def rows(first, last):
    return "".join(json.dumps({"id": i, "k": i % 3, "ts": f"2026-01-01T00:{i // 60:02}:{i % 60:02}Z"}) + "\n" for i in range(first, last))


SOURCE = """CREATE TABLE src (id BIGINT, k INT, ts TIMESTAMP, WATERMARK FOR ts AS ts)
  WITH (connector = 'single_file', path = 'in.json', type = 'source', format = 'json');
"""
COUNTS = """CREATE TABLE counts (k INT, start TIMESTAMP, n BIGINT) WITH (connector = 'filesystem', path = 'counts', type = 'sink', format = 'json');
INSERT INTO counts SELECT k, TUMBLE_START(ts, INTERVAL '1' MINUTE), count(*) FROM src GROUP BY k, TUMBLE(ts, INTERVAL '1' MINUTE);
"""
COPY = """CREATE TABLE copy (id BIGINT) WITH (connector = 'single_file', path = 'copy.json', type = 'sink', format = 'json');
INSERT INTO copy SELECT id FROM src;
"""


@test
def a_second_run_goes_on_where_the_first_ended(place):
    place.write("a.sql", SOURCE + COUNTS + COPY)
    place.write("in.json", rows(0, 120))
    place("run", "a.sql", "--state", "state")
    assert len(place.lines("copy.json")) == 120 and len(place.lines("counts")) == 6
    place("run", "a.sql", "--state", "state")
    assert len(place.lines("copy.json")) == 120 and len(place.lines("counts")) == 6
    place.write("in.json", rows(0, 300))
    place("run", "a.sql", "--state", "state", "--parallelism", 3)
    assert place.lines("copy.json") == sorted(f'{{"id":{i}}}' for i in range(300))
    assert sum(json.loads(line)["n"] for line in place.lines("counts")) == 300 and len(place.lines("counts")) == 15


@test
def windows_that_a_stop_left_open_are_finished_by_the_next_run(place):
    place.write("a.sql", SOURCE.replace("single_file", "filesystem").replace("in.json", "in").replace("format", "scan_interval = '10ms', format") + COUNTS + COPY)
    (place.folder / "in").mkdir()
    for first, last in [(0, 90), (90, 200)]:
        place.write(f"in/{first}.json", rows(first, last))
        process = subprocess.Popen([place.binary, "run", "a.sql", "--state", "state", "--checkpoint-interval", "20ms", "-v"],
                                   cwd=place.folder, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:  # until the file has been read and that is in a checkpoint
            if "checkpoint" in line and f"position {first}.json: done" in place("checkpoint", "show", "state"):
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130, process.returncode
        assert "stopping" in place("checkpoint", "ls", "state")
        full_minutes = last // 60
        assert [json.loads(line)["n"] for line in place.lines("counts")] == [20] * (3 * full_minutes), place.lines("counts")
    assert len(place.lines("copy.json")) == 200


@test
def state_that_does_not_fit_is_refused_before_anything_is_touched(place):
    place.write("a.sql", SOURCE + COUNTS + COPY)
    place.write("in.json", rows(0, 100))
    place("run", "a.sql", "--state", "state")
    before = place("checkpoint", "ls", "state")
    place.write("b.sql", SOURCE + COPY)
    refused = place("run", "b.sql", "--state", "state", code=1)
    assert "does not fit" in refused and "window_aggregate" in refused and "sink(counts)" in refused and "--allow-drop-state" in refused, refused
    assert place("checkpoint", "ls", "state") == before
    place("run", "b.sql", "--state", "state", "--allow-drop-state")
    # What was let go does not come back.
    place("run", "a.sql", "--state", "state")
    read = json.loads(place("checkpoint", "show", "state", "--json"))
    assert sum(table["entries"] for one in read["operators"] if one["name"].startswith("sink(counts)") for table in one["tables"]) == 0


@test
def an_edit_elsewhere_keeps_state(place):
    place.write("a.sql", SOURCE + COUNTS)
    place.write("in.json", rows(0, 100))
    place("run", "a.sql", "--state", "state")
    place.write("in.json", rows(0, 200))
    place.write("a.sql", "-- a comment\n" + SOURCE + COPY + COUNTS)
    place("run", "a.sql", "--state", "state")
    assert sum(json.loads(line)["n"] for line in place.lines("counts")) == 200


@test
def restore_none_begins_anew_and_a_number_goes_back(place):
    place.write("a.sql", SOURCE + COPY)
    place.write("in.json", rows(0, 50))
    place("run", "a.sql", "--state", "state")
    kept = json.loads(place("checkpoint", "ls", "state", "--json"))[-1]["id"]
    place.write("in.json", rows(0, 80))
    place("run", "a.sql", "--state", "state", "--restore", "none")
    assert len(place.lines("copy.json")) == 80
    place("run", "a.sql", "--state", "state", "--restore", kept)
    assert len(place.lines("copy.json")) == 80
    assert "no checkpoint 999" in place("run", "a.sql", "--state", "state", "--restore", 999, code=1)
    assert "neither latest, none nor a number" in place("run", "a.sql", "--state", "state", "--restore", "yesterday", code=2)


@test
def two_runs_cannot_share_a_state(place):
    os.mkfifo(place.folder / "never")
    place.write("a.sql", "CREATE TABLE live (x INT) WITH (connector = 'single_file', path = 'never', type = 'source', format = 'json');"
                "CREATE TABLE sink (x INT) WITH (connector = 'blackhole'); INSERT INTO sink SELECT x FROM live;")
    process = subprocess.Popen([place.binary, "run", "a.sql", "--state", "state", "--checkpoint-interval", "10ms", "-v"], cwd=place.folder,
                               stderr=subprocess.PIPE, text=True)
    feed = open(place.folder / "never", "w")
    assert "checkpoint" in process.stderr.readline()
    refused = place("run", "a.sql", "--state", "state", code=1)
    assert "in use by another running job" in refused, refused
    feed.close()
    process.communicate(timeout=30)
    assert process.returncode == 0


@test
def damage_is_found_and_named(place):
    place.write("a.sql", SOURCE + COUNTS)
    place.write("in.json", rows(0, 100))
    place("run", "a.sql", "--state", "state")
    assert "whole" in place("checkpoint", "verify", "state", "--all")
    data = max((place.folder / "state" / "data").iterdir())
    content = bytearray(data.read_bytes())
    content[60] ^= 1
    data.write_bytes(content)
    wrong = place("checkpoint", "verify", "state", code=1)
    assert "damaged" in wrong and data.name in wrong, wrong
    refused = place("run", "a.sql", "--state", "state", code=1)
    assert "damaged" in refused and data.name in refused, refused
    data.unlink()
    assert "missing" in place("run", "a.sql", "--state", "state", code=1)


@test
def checkpoint_shows_and_reads(place):
    place.write("a.sql", SOURCE + COUNTS)
    place.write("in.json", rows(0, 100))
    place("run", "a.sql", "--state", "state")
    show = place("checkpoint", "show", "state")
    assert "source(src)" in show and "position in.json: done" in show and "watermark 0" in show, show
    described = json.loads(place("checkpoint", "show", "state", "--json"))
    source = [one for one in described["operators"] if one["name"] == "source(src)"][0]
    assert list(source["positions"]) == ["in.json"]
    read = [json.loads(line) for line in place("checkpoint", "read", "state", "--operator", "source(src)").splitlines()]
    assert read[0]["key"] == "in.json" and read[0]["table"] == "splits", read
    assert "no operator 'nobody'" in place("checkpoint", "read", "state", "--operator", "nobody", code=1)
    assert "no directory" in place("checkpoint", "ls", "nowhere", code=1)
    assert "no checkpoint 77" in place("checkpoint", "show", "state", 77, code=1)


@test
def a_full_disk_fails_the_checkpoint_and_not_the_job(place):
    place.write("a.sql", SOURCE + COPY)
    place.write("in.json", rows(0, 100))
    (place.folder / "state").mkdir()
    (place.folder / "state" / "data").write_text("where the files should go")
    process = subprocess.Popen([place.binary, "run", "a.sql", "--state", "state", "--checkpoint-interval", "10ms"], cwd=place.folder,
                               stderr=subprocess.PIPE, text=True)
    assert "a checkpoint failed" in process.stderr.readline()
    (place.folder / "state" / "data").unlink()
    process.communicate(timeout=60)
    assert process.returncode == 0 and len(place.lines("copy.json")) == 100


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--laminar", required=True)
    arguments.add_argument("names", nargs="*")
    options = arguments.parse_args()
    failed = 0
    chosen = [function for function in TESTS if not options.names or function.__name__ in options.names]
    for function in chosen:
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(Place(options.laminar, folder))
            except Exception:  # a test that breaks is a test that failed
                failed += 1
                print(f"FAILED {function.__name__}: {traceback.format_exc()}")
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
