#!/usr/bin/env python3
"""Runs the example of every documented function and compares what comes out with the documented result.

  functions_doc_test.py --laminar PATH

Examples go into wide SELECTs of many columns; a function whose batch fails is run alone, so that each failure is named.
"""

import argparse
import json
import subprocess
import sys

# Functions whose value differs from run to run. Their examples are written so that the result does not; they still run.
# Name -> reason. Only those listed here are left out.
SKIPPED = {
}

BATCH = 40
VALUES = " FROM (VALUES (1), (2), (3)) AS t(x)"


def run(laminar, sql):
    """Rows that a SELECT prints, or an error text."""
    done = subprocess.run([laminar, "run", "-q", "-e", sql], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return None, (done.stderr.strip() or f"exit code {done.returncode}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    # An updating result is printed as changes; its last "after" is the result.
    return [row["after"] if set(row) == {"before", "after", "op"} else row for row in rows], ""


def same(got, wanted):
    """Equal as JSON: 1 and 1.0 differ, true and 1 differ."""
    return json.dumps(got, sort_keys=True) == json.dumps(wanted, sort_keys=True)


def check_one(laminar, function):
    suffix = VALUES if function["kind"] == "aggregate" else ""
    rows, error = run(laminar, f"SELECT {function['example']} AS r{suffix}")
    if rows is None:
        return error
    if not rows:
        return "no row came out"
    got, wanted = rows[-1].get("r"), json.loads(function["result"])
    if not same(got, wanted):
        return f"expected {json.dumps(wanted, ensure_ascii=False)}, got {json.dumps(got, ensure_ascii=False)}"
    return None


def check_batch(laminar, functions):
    """Names of functions that are right in a SELECT of all of them; the rest have to be run alone."""
    suffix = VALUES if functions[0]["kind"] == "aggregate" else ""
    items = ", ".join(f"{function['example']} AS r{i}" for i, function in enumerate(functions))
    rows, _ = run(laminar, f"SELECT {items}{suffix}")
    if not rows:
        return set()
    return {f["name"] for i, f in enumerate(functions) if same(rows[-1].get(f"r{i}"), json.loads(f["result"]))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--laminar", required=True, help="path of the binary")
    laminar = parser.parse_args().laminar
    listed = subprocess.run([laminar, "functions", "--format", "json"], capture_output=True, text=True, check=True)
    functions = [f for f in json.loads(listed.stdout) if f["name"] not in SKIPPED]
    failures = []
    for f in functions:
        for key in ("name", "group", "kind", "signature", "description", "example", "result"):
            if not f.get(key):
                failures.append((f.get("name", "?"), f"'{key}' is missing in the listing"))
    for kind in ("scalar", "aggregate"):
        of_kind = [f for f in functions if f["kind"] == kind and f.get("example") and f.get("result")]
        for begin in range(0, len(of_kind), BATCH):
            batch = of_kind[begin:begin + BATCH]
            right = check_batch(laminar, batch)
            for function in batch:
                if function["name"] in right:
                    continue
                if problem := check_one(laminar, function):
                    failures.append((function["name"], f"{function['example']}: {problem}"))
    for name, problem in failures:
        print(f"FAILED {name}: {problem}")
    failed = len({name for name, _ in failures})
    print(f"{len(functions) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
