"""What validate_query tells of a plan and of mistakes: state, spans, pages of the documents."""

import pathlib
import re

import pytest

from conftest import impulse

ROOT = pathlib.Path(__file__).resolve().parents[2]


def anchors(path):
    """Anchors of a Markdown page as renderers make them of its headings."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", title).lower()).replace(" ", "-") for title in titles}


def check_doc(doc):
    page, _, anchor = doc.partition("#")
    assert (ROOT / page).is_file() and anchor in anchors(ROOT / page), doc


def test_each_code_has_its_place_in_the_documents():
    codes = set(re.findall(r'return "([A-Z_]+)";', (ROOT / "src/base/error.cc").read_text()))
    for file in (ROOT / "src").rglob("*.cc"):
        codes |= set(re.findall(r'(?:\bWarn\(|warnings\.push_back\(\s*\{)"([A-Z_]{4,})"', file.read_text()))
    assert len(codes) > 40 and {"UNKNOWN_COLUMN", "UNBOUNDED_STATE", "STATE_BACKEND"} <= codes
    page = (ROOT / "docs/diagnostics.md").read_text()
    assert set(re.findall(r"^### ([A-Z_]+)$", page, re.M)) == codes | {"EXTERNAL"}
    for target in re.findall(r"\]\(([^)]+)\)", page):
        check_doc("docs/" + target if "#" in target else "docs/" + target + "#" + next(iter(anchors(ROOT / "docs" / target))))


@pytest.mark.parametrize("query, code", [
    ("SELEC 1", "SYNTAX"), ("SELECT * FROM nothing", "UNKNOWN_TABLE"), (impulse() + "SELECT countr FROM impulse", "UNKNOWN_COLUMN"),
    (impulse() + "SELECT counter, count(*) FROM impulse GROUP BY counter", "UNBOUNDED_STATE"), ("SET colour = 'red'; SELECT 1", "UNKNOWN_SETTING"), ("", "NO_OUTPUT"),
])
def test_diagnostics_point_to_the_documents(server, query, code):
    [diagnostic] = [d for d in server.post("/pipelines/validate_query", {"query": query}).json["diagnostics"] if d["code"] == code]
    assert diagnostic["doc"] == "docs/diagnostics.md#" + code.lower()
    check_doc(diagnostic["doc"])


def nodes(server, query):
    answer = server.post("/pipelines/validate_query", {"query": query}).json
    assert answer["graph"], answer
    return answer["graph"]["nodes"]


def state(server, query, operator):
    [node] = [n for n in nodes(server, query) if n["operator"] == operator]
    return {name: value for name, value in node["state"].items() if name != "tables"}


def test_state_of_operators(server):
    group = impulse() + "SELECT counter, count(*) AS n FROM impulse GROUP BY counter"
    assert state(server, group, "aggregate") == {"kind": "groups", "key": ["counter"], "ttl": None, "until": "for ever"}
    with_ttl = state(server, "SET updating_ttl = INTERVAL '90' SECOND;\n" + group, "aggregate")
    assert with_ttl == {"kind": "groups", "key": ["counter"], "ttl": 90_000, "until": "until untouched for 90s (updating_ttl)"}
    whole = state(server, impulse() + "SELECT count(*) AS n FROM impulse", "aggregate")
    assert whole == {"kind": "one group", "key": [], "ttl": None, "until": "for ever"}
    window = state(server, impulse() + "SELECT subtask_index, count(*) FROM impulse GROUP BY subtask_index, TUMBLE(INTERVAL '1' MINUTE)", "window_aggregate")
    assert window == {"kind": "groups of each open window", "key": ["subtask_index"], "ttl": None, "until": "until the watermark passes its end"}
    join = state(server, "SET updating_ttl = INTERVAL '1' DAY;\n" + impulse() + "SELECT a.counter FROM impulse a JOIN impulse b ON a.counter = b.counter", "join")
    assert join["kind"] == "rows of both sides" and join["key"] == ["counter = counter"] and join["ttl"] == 86_400_000


QUERIES = [
    "SELECT counter, counter + 1 AS next FROM impulse WHERE counter > 7",
    "SELECT subtask_index, count(DISTINCT counter) AS n FROM impulse GROUP BY subtask_index",
    "SELECT a.counter FROM impulse a JOIN impulse b ON a.counter = b.counter",
    "SELECT DISTINCT counter FROM impulse",
    "SELECT counter FROM impulse UNION ALL SELECT counter FROM impulse",
    "SELECT * FROM (SELECT counter, ROW_NUMBER() OVER (PARTITION BY subtask_index ORDER BY counter DESC) AS rn FROM impulse) WHERE rn <= 3",
    "SELECT window_start, count(*) AS n FROM TABLE(TUMBLE(TABLE (SELECT counter, PROCTIME() AS pt FROM impulse), DESCRIPTOR(pt), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end",
    "SELECT counter FROM impulse LIMIT 3",
]


@pytest.mark.parametrize("query", QUERIES)
def test_each_operator_has_a_span(server, query):
    script = impulse() + query
    lines = script.split("\n")
    for node in nodes(server, script):
        span = node["span"]
        assert span, node
        assert 1 <= span["line"] <= span["end_line"] <= len(lines) and span["end_column"] <= len(lines[span["end_line"] - 1]) + 1, node
        assert (span["line"], span["column"]) < (span["end_line"], span["end_column"]), node
        assert "state" in node and "time" in node and "updating" in node


def test_a_running_job_shows_the_plan_without_secrets(start_server):
    server = start_server(environment={"HIDDEN": "topsecretvalue"})
    query = impulse() + "SELECT counter FROM impulse WHERE CAST(counter AS TEXT) <> '{{ HIDDEN }}'"
    pipeline = server.created("/pipelines", {"name": "p", "query": query, "start": True, "parallelism": 2})
    job = server.wait(f"/jobs/{pipeline['current_job_id']}", lambda j: j["stateDetail"] == "Running" and j["metrics"]["records_out"] > 0)
    assert [n["span"] for n in job["graph"]["nodes"]] == [n["span"] for n in pipeline["graph"]["nodes"]]
    pages = "".join(server.get(f"/jobs/{job['id']}{page}").text for page in ("", "/metrics", "/operators", "/metric-groups", "/logs"))
    assert "topsecretvalue" not in pages
