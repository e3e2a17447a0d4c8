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
def going_back_names_the_files_that_stay(place):
    place.write("a.sql", SOURCE + """CREATE TABLE out (id BIGINT) WITH (connector = 'filesystem', path = 'out', type = 'sink', format = 'json', 'filename.strategy' = 'serial');
INSERT INTO out SELECT id FROM src;
""")
    place.write("in.json", rows(0, 50))
    place("run", "a.sql", "--state", "state")
    kept = json.loads(place("checkpoint", "ls", "state", "--json"))[-1]["id"]
    place.write("in.json", rows(0, 80))
    assert "warning" not in place("run", "a.sql", "--state", "state")
    first, second = sorted(path.name for path in (place.folder / "out").iterdir() if path.name[0] != ".")
    back = place("run", "a.sql", "--state", "state", "--restore", kept)
    assert f"sink(out) put 1 files into place after checkpoint {kept}" in back and f"remove {second}" in back and first not in back, back
    # Both files stay, as said, and the rows since are there twice.
    assert len(place.lines("out")) == 50 + 30 + 30
    (place.folder / "out" / second).unlink()
    assert place.lines("out") == sorted(f'{{"id":{i}}}' for i in range(80))


# What each kind of operator keeps while its job runs: query, start of the operator's name, table, columns (None: many), and what one row must hold.
HOUR = "INTERVAL '1' HOUR"
WINDOWED = f"TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), {HOUR}))"
KEPT = [
    ("SELECT k, count(*) AS n, sum(id) AS s, min(id) AS least FROM src GROUP BY k", "aggregate", "groups",
     ["k", "rows", "touched", "count", "sum_sum", "sum_count", "min", "min_seen"], {"k": 1, "count": 33, "sum_sum": 1617, "sum_count": 33, "min": 1}),
    ("SELECT k, count(DISTINCT id) AS n FROM src GROUP BY k", "aggregate", "distinct0", ["k", "id", "filters"], {"k": 2, "id": 5, "filters": 1}),
    (f"SELECT k, count(*) AS n FROM src GROUP BY k, TUMBLE(ts, {HOUR})", "window_aggregate", "panes", ["pane_start", "pane_end", "k", "count"],
     {"pane_start": "2026-01-01T00:00:00", "pane_end": "2026-01-01T01:00:00", "k": 0, "count": 34}),
    (f"SELECT k, count(DISTINCT id) AS n FROM src GROUP BY k, TUMBLE(ts, {HOUR})", "window_aggregate", "distinct0", ["pane_start", "pane_end", "k", "id", "filters"], {"k": 0, "id": 3}),
    (f"SELECT k, count(*) AS n, approx_distinct(id) AS d FROM src GROUP BY k, SESSION(ts, {HOUR})", "window_aggregate", "sessions",
     ["k", "session", "first_row", "last_row", "count", "approx_distinct"], {"k": 0, "count": 34, "first_row": "2026-01-01T00:00:00"}),
    (f"SELECT k, count(DISTINCT id) AS n FROM src GROUP BY k, SESSION(ts, {HOUR})", "window_aggregate", "distinct0", ["k", "session", "id", "filters"], {"k": 0, "id": 3}),
    ("SELECT a.id AS x, b.k AS y FROM src a LEFT JOIN src b ON a.id = b.id", "join", "left", None, {"weight": 1, "matches": 1, "id": 7}),
    (f"SELECT a.id AS x, b.k AS y FROM src a JOIN src b ON a.id = b.id AND a.ts BETWEEN b.ts AND b.ts + {HOUR}", "interval_join", "right", None,
     {"weight": 1, "id": 7, "time": "2026-01-01T00:00:07"}),
    (f"SELECT a.id AS x FROM {WINDOWED} a JOIN {WINDOWED} b ON a.id = b.id AND a.window_start = b.window_start AND a.window_end = b.window_end", "window_join", "left", None, {"id": 7}),
    ("SELECT * FROM (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY id DESC) AS r FROM src) WHERE r <= 2", "top_n", "rows", None, {"k": 0, "id": 99}),
    (f"SELECT * FROM (SELECT id, k, row_number() OVER (PARTITION BY window_start, window_end, k ORDER BY id DESC) AS r FROM {WINDOWED}) WHERE r <= 2", "top_n", "rows", None, {"k": 0, "id": 99}),
    ("SELECT * FROM (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY ts) AS r FROM src) WHERE r = 1", "top_n", "keys", ["k"], {"k": 1}),
    ("SELECT DISTINCT k FROM src", "distinct", "keys", ["k"], {"k": 2}),
    ("SELECT id, k, sum(id) OVER (PARTITION BY k ORDER BY ts) AS s FROM src", "over", "running", None, {"k": 1}),
    (f"SELECT k, count(*) AS n FROM src GROUP BY TUMBLE({HOUR}), k ORDER BY n", "sort", "rows", None, None),
    ("SELECT id FROM src LIMIT 150", "limit", "counts", ["skipped", "passed"], {"skipped": 0, "passed": 100}),
    ("SELECT id, k FROM changes", "last_rows", "rows", ["id", "id_2", "k", "event_time"], {"id": 2, "id_2": 2, "k": 20}),
    ("SELECT id FROM src", "source(src)", "splits", ["split", "position"], {"split": "in.json"}),
    ("SELECT id FROM src", "watermark", "split_watermarks", ["split", "watermark", "idle"], {"idle": False}),
]


def run_until_read(place, state):
    """Runs a.sql until all of in/ is in a checkpoint."""
    process = subprocess.Popen([place.binary, "run", "-q", "a.sql", "--state", state, "--checkpoint-interval", "20ms", "-v"], cwd=place.folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "checkpoint" in line and "position in.json: done" in place("checkpoint", "show", state):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130, ((place.folder / "a.sql").read_text(), lines[-5:])


@test
def the_state_of_every_operator_is_rows_with_names(place):
    import pyarrow, pyarrow.parquet
    (place.folder / "in").mkdir()
    place.write("in/in.json", rows(0, 100))
    source = SOURCE.replace("single_file", "filesystem").replace("in.json", "in").replace("format", "scan_interval = '10ms', format")
    place.write("changes.json", "".join(json.dumps({"op": "c", "before": None, "after": {"id": i, "k": i * 10}}) + "\n" for i in range(3)))
    changes = "CREATE TABLE changes (id BIGINT PRIMARY KEY, k INT) WITH (connector = 'single_file', path = 'changes.json', type = 'source', format = 'debezium_json');\n"
    for number, (query, operator, table, columns, wanted) in enumerate(KEPT):
        state = f"state{number}"
        place.write("a.sql", (changes if "changes" in query else source) + query + ";")
        if "changes" in query:
            place("run", "-q", "a.sql", "--state", state)
        else:
            run_until_read(place, state)
        chosen, known = [], False
        # Every table can be read, in every form, and each entry is a row.
        for one in json.loads(place("checkpoint", "show", state, "--json"))["operators"]:
            for name in [kept["name"] for kept in one["tables"]]:
                read = ["checkpoint", "read", state, "--operator", one["id"], "--table", name]
                found = [json.loads(line) for line in place(*read).splitlines()]
                assert all(row.pop("table") == name for row in found), found[:3]
                place(*read, "--format", "parquet", "-o", "rows.parquet")
                place(*read, "--format", "arrow", "-o", "rows.arrow")
                assert pyarrow.parquet.read_table(place.folder / "rows.parquet").num_rows == len(found)
                whole = pyarrow.ipc.open_file(str(place.folder / "rows.arrow")).read_all()
                assert whole.num_rows == len(found) and (not found or list(found[0]) == whole.column_names), (found[:1], whole.schema)
                if one["name"].startswith(operator) and name == table:
                    chosen = chosen or found
                    known = True
        assert known, (query, place("checkpoint", "show", state))
        if wanted is None:
            continue
        assert chosen, (query, place("checkpoint", "show", state))
        assert columns is None or list(chosen[0]) == ["key_group", *columns], (query, chosen[0])
        assert any(all(row.get(name) == value for name, value in wanted.items()) for row in chosen), (query, wanted, chosen[:3])
    groups = ["checkpoint", "read", "state0", "--operator", operator_named(place, "state0", "aggregate")]
    text = place(*groups, "--format", "table")
    assert "table groups" in text and "min_seen" in text, text
    assert "needs -o FILE" in place(*groups, "--format", "parquet", code=1)
    assert "choose with --table one of groups, runtime.watermark" in place(*groups, "--format", "arrow", "-o", "x", code=1)
    assert "keeps no table 'rows'; there are groups" in place(*groups, "--table", "rows", code=1)


def operator_named(place, state, name):
    return next(one["id"] for one in json.loads(place("checkpoint", "show", state, "--json"))["operators"] if name in one["name"])


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
    assert read[0]["split"] == "in.json" and read[0]["table"] == "splits", read
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
