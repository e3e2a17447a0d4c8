#!/usr/bin/env python3
"""Random queries over random tables: Laminar's accumulated changes must equal DuckDB's batch answer.

  tests/property/random_queries_test.py [--laminar PATH] [--seed N] [--rounds K] [--only TEMPLATE ...] [--keep DIR]

A round makes new tables (two of rows out of order within the watermark's delay, two changelogs) and draws one query from each template.
It runs at parallelism 1 or 3 over files, read in one batch, or over FIFOs that bring a few rows at a time.
A failure prints the seed of its round, the SQL of both engines and the first rows that differ; `--seed S --rounds 1 --only TEMPLATE`
repeats it, and `--keep DIR` leaves the tables there.
"""
import argparse, os, random, re, shutil, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import duckdb
import engine, templates
from tables import Table

# Template → reason. Still run; a failure is reported as skipped.
KNOWN_FAILURES = {}


def make_tables(rng, folder):
    size = lambda: rng.choice([0, 1, 40, 40, 150, 150, 150, 400, 400, 400])
    big = rng.random() < 0.1
    return {
        "t": Table(rng, folder, "t", 3000 if big else size(), unique_times=False),
        "u": Table(rng, folder, "u", size(), unique_times=True),
        "c": Table(rng, folder, "c", size(), changelog=True),
        "d": Table(rng, folder, "d", size(), changelog=True),
    }


def answer(duck, template, seed, tables):
    """The query that the seed draws from the template and DuckDB's answer; draws again where DuckDB refuses (overflow)."""
    for attempt in range(20):
        query = template(random.Random(f"{seed} {template.__name__} {attempt}"), tables)
        try:
            return query, engine.oracle(duck, query.duckdb)
        except (duckdb.OutOfRangeException, duckdb.ConversionException, duckdb.InvalidInputException):
            continue
    raise RuntimeError(f"{template.__name__} finds no query that DuckDB takes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", default=os.path.join(ROOT, "build", "dev", "laminar"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--keep")
    options = parser.parse_args()
    chosen = [t for t in templates.ALL if not options.only or t.__name__ in options.only]
    passed = failed = skipped = 0
    folder = options.keep or tempfile.mkdtemp(prefix="random_queries_")
    os.makedirs(folder, exist_ok=True)
    begin, reasons = time.time(), {}
    for seed in range(options.seed, options.seed + options.rounds):
        tables = make_tables(random.Random(seed), folder)
        duck = duckdb.connect()
        duck.execute("SET threads = 1")
        for table in tables.values():
            table.load(duck)
        for template in chosen:
            name = template.__name__
            query, (_, types, rows) = answer(duck, template, seed, tables)
            rng = random.Random(f"{seed} {name}")
            parallelism, piped = rng.choice([1, 1, 3]), rng.random() < 0.6
            used = [t for t in tables.values() if re.search(rf"(\bFROM|\bJOIN|\bTABLE) {t.name}\b|, {t.name} b ", query.laminar)]
            feed = engine.Feed(rng, {t.path: t.path + ".fifo" for t in used}) if piped else None
            ddl = "SET updating_flush_interval = '1 ms';\n" + "".join(t.laminar_ddl(".fifo" if piped else "") for t in used)
            *jobs, last = query.laminar.replace("FOLDER", folder).split(templates.JOB_END)
            try:
                for job in jobs:
                    engine.run_script(options.laminar, ddl + job, parallelism, feed)
                    ddl, feed = "", None
                engine.check(options.laminar, f"{ddl}{last};\n", parallelism, types, rows, feed)
                passed += 1
            except (engine.LaminarError, engine.Mismatch) as error:
                reason = KNOWN_FAILURES.get(name) or engine.unfinished(error)
                if reason:
                    skipped += 1
                    reasons[name] = reason
                    continue
                failed += 1
                print(f"FAIL {name}, --seed {seed} --rounds 1, parallelism {parallelism}, {'pipes' if piped else 'files'}\n  {error}\n"
                      f"  laminar: {query.laminar}\n  duckdb:  {query.duckdb}", flush=True)
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    for name, reason in reasons.items():
        print(f"skip {name}: {reason}")
    print(f"seeds {options.seed} to {options.seed + options.rounds - 1}, {len(chosen)} templates, {time.time() - begin:.0f} s")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
