#!/usr/bin/env python3
"""kill -9 at random moments, restart at another parallelism, until the job ends: the files are those of an undisturbed run.

    tests/recovery/kill_test.py --laminar build/dev/laminar [--kills 50] [--rows 30000] [--seed N]
"""
import argparse, collections, json, os, pathlib, random, shutil, signal, subprocess, sys, tempfile, time

SCRIPT = """
CREATE TABLE orders (id BIGINT, customer INT, amount BIGINT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')
  WITH (connector = 'filesystem', path = '{dir}/in/orders', type = 'source', format = 'json');
CREATE TABLE payments (order_id BIGINT, paid BIGINT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')
  WITH (connector = 'single_file', path = '{dir}/in/payments.json', type = 'source', format = 'json');

CREATE TABLE per_minute (customer INT, start TIMESTAMP, orders BIGINT, amount BIGINT)
  WITH (connector = 'filesystem', path = '{out}/per_minute', type = 'sink', format = 'json', 'partition_by' = 'customer');
CREATE TABLE paid (id BIGINT, customer INT, late_us BIGINT)
  WITH (connector = 'filesystem', path = '{out}/paid', type = 'sink', format = 'parquet');
CREATE TABLE per_customer (customer INT PRIMARY KEY, orders BIGINT, amount BIGINT, biggest BIGINT)
  WITH (connector = 'single_file', path = '{out}/per_customer.json', type = 'sink', format = 'debezium_json');
CREATE TABLE top (start TIMESTAMP, customer INT, amount BIGINT, place BIGINT)
  WITH (connector = 'single_file', path = '{out}/top.json', type = 'sink', format = 'json');
CREATE TABLE sessions (customer INT, start TIMESTAMP, n BIGINT)
  WITH (connector = 'single_file', path = '{out}/sessions.csv', type = 'sink', format = 'csv');

INSERT INTO per_minute
  SELECT customer, TUMBLE_START(ts, INTERVAL '1' MINUTE), count(*), sum(amount) FROM orders GROUP BY customer, TUMBLE(ts, INTERVAL '1' MINUTE);
INSERT INTO paid
  SELECT o.id, o.customer, CAST(EXTRACT(EPOCH FROM p.ts) AS BIGINT) - CAST(EXTRACT(EPOCH FROM o.ts) AS BIGINT)
  FROM orders o JOIN payments p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '2' MINUTE;
INSERT INTO per_customer SELECT customer, count(*), sum(amount), max(amount) FROM orders GROUP BY customer;
INSERT INTO top
  SELECT start, customer, amount, place FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY start ORDER BY amount DESC, customer) AS place FROM (
      SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) AS start, TUMBLE_END(ts, INTERVAL '1' MINUTE) AS fin, customer, sum(amount) AS amount
      FROM orders GROUP BY customer, TUMBLE(ts, INTERVAL '1' MINUTE))) WHERE place <= 3;
INSERT INTO sessions
  SELECT customer, SESSION_START(ts, INTERVAL '20' SECOND), count(*) FROM orders GROUP BY customer, SESSION(ts, INTERVAL '20' SECOND);
"""


# Each attempt takes one: a checkpoint does not depend on where the state lay. With the limit all of it goes to disk.
BACKENDS = ["", "SET state_backend = 'disk'; SET state_memory_limit = '1MB';\n"]


def stamp(seconds):
    return f"2026-03-01T{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{seconds % 60:06.3f}Z"


def make_inputs(directory, rows, rng):
    """Orders in several files, each in time order up to a jitter within the watermark's delay; payments of most of them."""
    inputs = directory / "in"
    (inputs / "orders").mkdir(parents=True)
    files = [open(inputs / "orders" / f"part-{i}.json", "w") for i in range(5)]
    with open(inputs / "payments.json", "w") as payments:
        for order in range(rows):
            at = order * 0.02
            customer = rng.randrange(60) if order % 3000 > 200 else rng.randrange(3)
            row = {"id": order, "customer": customer, "amount": rng.randrange(1, 1000), "ts": stamp(at + rng.random() * 3)}
            files[order % 5].write(json.dumps(row) + "\n")
            if rng.random() < 0.8:
                payments.write(json.dumps({"order_id": order, "paid": 1, "ts": stamp(at + 4 + rng.random() * 3)}) + "\n")
    for file in files:
        file.close()


def rows_of(path):
    """All rows below a sink's path as a multiset; what is staged or hidden is not read."""
    rows = collections.Counter()
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if not file.is_file() or any(part[0] in "._" for part in file.relative_to(path.parent).parts):
            continue
        if file.suffix == ".parquet":
            import pyarrow.parquet
            rows.update(json.dumps(row, sort_keys=True, default=str) for row in pyarrow.parquet.read_table(file).to_pylist())
        else:
            text = file.read_text()
            assert text == "" or text.endswith("\n"), f"{file} ends within a row"
            rows.update(text.splitlines())
    return rows


def folded(path):
    """The last state of each key of a Debezium stream; each change must fit the state before it."""
    state = {}
    for line in path.read_text().splitlines():
        change = json.loads(line)
        before, after = change.get("before"), change.get("after")
        if before is not None:
            assert state.pop(before["customer"], None) == before, f"{before} was taken back but is not what was there"
        if after is not None:
            assert after["customer"] not in state, f"{after} came twice"
            state[after["customer"]] = after
    return state


def describe(expected, got):
    missing = [(key, expected[key]) for key in expected if got.get(key) != expected[key]]
    surplus = [(key, got[key]) for key in got if got[key] != expected.get(key)]
    return f"{len(missing)} missing or other, e.g. {missing[:3]}; {len(surplus)} too many or other, e.g. {surplus[:3]}"


def outputs(out):
    result = {name: rows_of(out / name) for name in ["per_minute", "paid", "top.json", "sessions.csv"]}
    result["per_customer"] = folded(out / "per_customer.json")
    return result


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--laminar", required=True)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--rows", type=int, default=30_000)
    arguments.add_argument("--seed", type=int, default=None)
    options = arguments.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="laminar-kill-"))
    try:
        make_inputs(directory, options.rows, rng)
        undisturbed = directory / "undisturbed"
        script = directory / "undisturbed.sql"
        script.write_text(SCRIPT.format(dir=directory, out=undisturbed))
        began = time.monotonic()
        subprocess.run([options.laminar, "run", "-q", script, "--parallelism", "2"], check=True)
        whole = time.monotonic() - began
        expected = outputs(undisturbed)
        assert all(expected.values()), "the undisturbed run wrote nothing"

        kills = rounds = restored = 0
        while kills < options.kills:
            rounds += 1
            out, state = directory / f"out{rounds}", directory / f"state{rounds}"
            script = directory / f"{rounds}.sql"
            attempts = 0
            while True:
                attempts += 1
                interval = rng.choice(["10ms", "50ms", "200ms"])
                script.write_text(rng.choice(BACKENDS) + SCRIPT.format(dir=directory, out=out))
                process = subprocess.Popen([options.laminar, "run", "-q", script, "--state", state, "--checkpoint-interval", interval,
                                            "--parallelism", str(rng.randrange(1, 5))], stderr=subprocess.PIPE)
                try:
                    # Longer each time, so that a job ends although each restart costs something.
                    process.wait(timeout=rng.uniform(0.1, 0.8 + 0.1 * attempts) * max(whole, 0.5))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    kills += 1
                    restored += len(list((state / "manifests").glob("*"))) > 1 if (state / "manifests").is_dir() else 0
                    continue
                error = process.stderr.read().decode()
                assert process.returncode == 0 and not error, f"round {rounds} ended with {process.returncode}: {error}"
                break
            got = outputs(out)
            for name, rows in expected.items():
                if got[name] == rows:
                    continue
                print(f"round {rounds}: {name}: {describe(rows, got[name])}", file=sys.stderr)
                sys.exit(1)
            staged = [str(file) for file in out.rglob("*") if file.is_file() and file.name.endswith(".part")]
            assert not staged, f"round {rounds}: staged files are left: {staged[:5]}"
            shutil.rmtree(out)
            shutil.rmtree(state)
        assert restored > 0, "no run was killed after a checkpoint: make the input longer"
        print(f"{rounds} jobs killed {kills} times ({restored} with a checkpoint to go on from): output as undisturbed ({whole:.1f} s)")
    except BaseException:
        print(f"kept {directory}", file=sys.stderr)
        raise
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
