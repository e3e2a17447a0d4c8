"""User-defined functions: their endpoints, pipelines of their own and of the server's, and what a restart leaves."""

from conftest import impulse

FAHRENHEIT = {"name": "fahrenheit", "language": "sql", "definition": "c * 1.8 + 32", "return_type": "DOUBLE",
              "parameters": [{"name": "c", "type": "DOUBLE"}]}


def output(server, query, udfs=()):
    """Values of a preview's only column."""
    made = server.created("/pipelines/preview", {"query": query, "udfs": list(udfs)})
    job = server.wait_state(made["job_id"], "Finished", "Failed")
    assert job["stateDetail"] == "Finished", job["failure_message"]
    return [row["record"]["y"] for row in server.ok(f"/jobs/{made['job_id']}/output?limit=100")["data"]]


def refused(answer, status, code, **details):
    assert answer.status == status and answer.error == code, answer
    found = answer.json["error"]["details"]
    assert {name: found.get(name) for name in details} == details, answer
    return answer.json["error"]["message"]


def test_create_read_list_delete(server):
    made = server.post("/udfs", {**FAHRENHEIT, "description": "degrees", "prefix": "temperature"})
    assert made.status == 201 and made.headers["Location"] == f"/api/v1/udfs/{made.json['id']}", made
    udf = made.json
    assert udf["id"].startswith("udf_") and udf["kind"] == "scalar" and udf["created_by"] == "anonymous"
    assert udf["parameters"] == [{"name": "c", "type": "DOUBLE", "nullable": True}] and udf["nullable_return"] is False
    assert server.ok(f"/udfs/{udf['id']}") == {**udf, "used_by": []}
    assert server.ok(f"/udfs/{udf['id']}?envelope=data") == {"data": {**udf, "used_by": []}}
    refused(server.get("/udfs/udf_0000000000"), 404, "NOT_FOUND", resource="udf")
    other = server.created("/udfs", {"language": "sql", "definition": "CREATE FUNCTION kelvin(c DOUBLE NOT NULL) AS c + 273.15"})
    assert (other["name"], other["return_type"], other["parameters"][0]["nullable"]) == ("kelvin", "DOUBLE", False)

    page = server.ok("/udfs?sort=name")
    assert [f["name"] for f in page["data"]] == ["fahrenheit", "kelvin"] and page["meta"]["total"] == 2
    languages = {entry["language"]: entry for entry in page["meta"]["languages"]}
    assert languages["sql"] == {"language": "sql", "available": True, "reason": None}
    assert [languages[name]["available"] for name in ("rust", "python", "cpp")] == [False] * 3 and languages["rust"]["reason"]
    assert [f["name"] for f in server.ok("/udfs?q=KEL&language=sql&limit=1")["data"]] == ["kelvin"]
    assert server.ok("/udfs?name=f*&language=rust")["data"] == []

    entry = [f for f in server.ok("/catalog")["functions"] if f["name"] == "fahrenheit"][0]
    assert entry["signature"] == "fahrenheit(c DOUBLE) → DOUBLE" and entry["group"] == "User-defined"
    assert server.ok("/server")["features"]["udfs"] is True
    refused(server.delete(f"/udfs/{udf['id']}", headers={"If-Match": '"x"'}), 412, "PRECONDITION_FAILED")
    assert server.delete(f"/udfs/{udf['id']}").json == {"message": "UDF deleted successfully"}
    refused(server.delete(f"/udfs/{udf['id']}"), 404, "NOT_FOUND")


def test_what_is_refused(server):
    server.created("/udfs", FAHRENHEIT)

    def post(**changes):
        return server.post("/udfs", {**FAHRENHEIT, "name": "f", **changes})

    refused(post(name="Fahrenheit"), 409, "ALREADY_EXISTS", field="name")
    refused(post(name="upper"), 400, "VALIDATION_ERROR", field="name")
    refused(post(name="select"), 400, "VALIDATION_ERROR", field="name")
    refused(post(name="1f"), 400, "VALIDATION_ERROR", field="name")
    refused(post(name=None), 400, "VALIDATION_ERROR", field="name")
    refused(post(parameters=None), 400, "VALIDATION_ERROR", field="parameters")
    refused(post(return_type=None), 400, "VALIDATION_ERROR", field="return_type")
    refused(post(return_type="NUMBERS"), 400, "VALIDATION_ERROR", field="return_type")
    refused(post(parameters=[{"name": "c", "type": "x"}]), 400, "VALIDATION_ERROR", field="parameters[0].type")
    refused(post(kind="aggregate"), 400, "VALIDATION_ERROR", field="kind")
    refused(post(language="lua"), 400, "VALIDATION_ERROR", field="language")
    refused(post(definition="1" * 102401), 413, "PAYLOAD_TOO_LARGE", limit_bytes=102400)
    for language in ("rust", "python", "cpp"):
        refused(post(language=language), 501, "NOT_IMPLEMENTED", feature=f"udf:{language}")
    rust = "CREATE FUNCTION g(x INT) RETURNS INT LANGUAGE rust AS $$ pub fn g $$"
    refused(server.post("/udfs", {"language": "sql", "definition": rust}), 501, "NOT_IMPLEMENTED", feature="udf:rust")

    message = refused(post(definition="c +\n  d"), 400, "COMPILATION_ERROR", line=2, column=3, reason_code="UNKNOWN_COLUMN")
    assert "no parameter 'd' in function 'f'" in message
    refused(post(definition="c +"), 400, "COMPILATION_ERROR", line=1, reason_code="SYNTAX")
    refused(post(definition="uper('ä') || upr('x')"), 400, "COMPILATION_ERROR", line=1, column=1, hint="did you mean 'upper'?")
    refused(post(definition="sum(c)"), 400, "COMPILATION_ERROR", line=1, column=1, reason_code="UNSUPPORTED")
    refused(post(definition="f(c)"), 400, "COMPILATION_ERROR", line=1, column=1)
    refused(post(return_type="BIGINT"), 400, "TYPE_ERROR", expected="BIGINT", actual="DOUBLE", field="return_type", line=1, column=1)
    whole = "CREATE FUNCTION f(c DOUBLE) RETURNS DOUBLE AS c"
    refused(post(definition=whole, name="g"), 400, "VALIDATION_ERROR", field="name")
    refused(post(definition=whole, parameters=[]), 400, "VALIDATION_ERROR", field="parameters")
    refused(post(definition=whole, return_type="INT"), 400, "VALIDATION_ERROR", field="return_type")
    refused(post(definition="CREATE TABLE t (x INT)"), 400, "COMPILATION_ERROR")
    refused(post(definition=whole + "; SELECT 1"), 400, "COMPILATION_ERROR")
    assert post(definition=whole).status == 201


def test_validate(server):
    body = {**FAHRENHEIT, "tests": [
        {"input": {"c": 100}, "expected": 212}, {"input": {"c": 0}, "expected": 31}, {"input": {}, "expected": None}, {"input": {"c": 10}}]}
    done = server.post("/udfs/validate", body)
    assert done.status == 200 and done.json["valid"] and done.json["name"] == "fahrenheit" and done.json["warnings"] == []
    assert done.json["signature"] == "fahrenheit(c DOUBLE) → DOUBLE"
    assert done.json["test_results"] == [
        {"input": {"c": 100}, "output": 212.0, "success": True}, {"input": {"c": 0}, "output": 32.0, "success": False},
        {"input": {}, "output": None, "success": True}, {"input": {"c": 10}, "output": 50.0, "success": True}]
    assert "test_results" not in server.post("/udfs/validate", FAHRENHEIT).json
    assert server.ok("/udfs")["data"] == [], "checked is not created"

    quotient = {"language": "sql", "definition": "CREATE FUNCTION q(at TIMESTAMP, x INT NOT NULL, s STRUCT<aB INT>) AS NAMED_STRUCT('at', at, 'q', s.aB / x)"}
    done = server.post("/udfs/validate", {**quotient, "tests": [
        {"input": {"at": "2024-01-02T03:04:05Z", "x": 2, "s": {"aB": 8}}, "expected": {"at": "2024-01-02 03:04:05", "q": 4}},
        {"input": {"x": 0, "s": {"aB": 8}}}, {"input": {"x": None}, "expected": None}, {"input": {"x": "two"}}]}).json
    first, division, null, no_number = done["test_results"]
    assert first["success"] and first["output"]["q"] == 4, first
    assert not division["success"] and division["output"] is None and "q: " in division["error"], division
    assert null == {"input": {"x": None}, "output": None, "success": True}
    assert not no_number["success"] and no_number["error"], no_number
    refused(server.post("/udfs/validate", {**body, "tests": [{"input": {"d": 1}}]}), 400, "VALIDATION_ERROR", field="tests[0].input.d")
    refused(server.post("/udfs/validate", {**FAHRENHEIT, "definition": "c + d"}), 400, "COMPILATION_ERROR", column=5)
    refused(server.post("/udfs/validate", {**FAHRENHEIT, "language": "rust"}), 501, "NOT_IMPLEMENTED")


def test_own_functions_of_a_pipeline(server):
    own = [{"definition": "CREATE FUNCTION twice(x BIGINT) RETURNS BIGINT AS x * 2"},
           {"name": "plus", "language": "sql", "definition": "twice(x) + 1", "return_type": "BIGINT", "parameters": [{"name": "x", "type": "int64"}]}]
    query = impulse(count=5) + "SELECT plus(counter) AS y FROM impulse"
    assert output(server, query, own) == [1, 3, 5, 7, 9]
    pipeline = server.created("/pipelines", {"name": "p", "query": query, "udfs": own})
    assert [f["name"] for f in pipeline["udfs"]] == ["twice", "plus"] and pipeline["udfs"][0]["definition"] == own[0]["definition"]
    checked = server.post("/pipelines/validate_query", {"query": query, "udfs": own}).json
    assert checked["errors"] == [] and checked["graph"]
    checked = server.post("/pipelines/validate_query", {"query": query, "udfs": own[1:]}).json
    assert checked["graph"] is None and "function 'plus': no function 'twice'" in checked["errors"][0], checked
    assert server.ok("/udfs")["data"] == [], "they are the pipeline's only"

    bad = server.post("/pipelines", {"name": "q", "query": query, "udfs": [own[0], {**own[1], "definition": "twice(x) + z"}]})
    refused(bad, 400, "COMPILATION_ERROR", field="udfs[1].definition", line=1, column=12)
    refused(server.post("/pipelines", {"name": "q", "query": query, "udfs": ["gone"]}), 400, "VALIDATION_ERROR", field="udfs[0]")
    refused(server.post("/pipelines", {"name": "q", "query": query, "udfs": [{"definition": "x"}]}), 400, "VALIDATION_ERROR", field="udfs[0].name")
    refused(server.post("/pipelines/preview", {"query": query, "udfs": [{**own[0], "language": "python"}]}), 501, "NOT_IMPLEMENTED", feature="udf:python")


def test_odd_names_and_texts(server):
    body = {"language": "sql", "return_type": "STRING"}
    quotes = {**body, "name": "q", "definition": "'$body$ ' || \"a \"\"b\" || ' $body1$'  -- a comment",
              "parameters": [{"name": 'a "b', "type": {"primitive": "Utf8"}, "nullable": False}], "tests": [{"input": {'a "b': "x"}}]}
    assert server.post("/udfs/validate", quotes).json["test_results"][0]["output"] == "$body$ x $body1$"
    for definition in ("x'", "$$", "/* x", "x; DROP TABLE t", "x) RETURNS INT AS $$1$$ --", ";", " ", "ä'", "SELECT x FROM t", "x" * 90000, "(" * 5000):
        answer = server.post("/udfs/validate", {**body, "name": "f", "definition": definition, "parameters": [{"name": "x", "type": "TEXT"}]})
        refused(answer, 400, "COMPILATION_ERROR")
    twice = [{"name": "x", "type": "TEXT"}, {"name": "X", "type": "TEXT"}]
    assert "twice" in refused(server.post("/udfs/validate", {**body, "name": "f", "definition": "x", "parameters": twice}), 400, "COMPILATION_ERROR")
    for udfs in ([5], [{}], [{"definition": 5}], [[]], "f", [{"definition": "CREATE FUNCTION f() AS 1", "name": 5}]):
        refused(server.post("/pipelines/validate_query", {"query": "SELECT 1 AS x", "udfs": udfs}), 400, "VALIDATION_ERROR")
    refused(server.post("/pipelines/validate_query", {"query": "SELECT 1 AS x", "udfs": [{"definition": "CREATE FUNCTION f() AS"}]}), 400, "COMPILATION_ERROR")
    same = [{"definition": "CREATE FUNCTION f() AS 1"}] * 2
    refused(server.post("/pipelines", {"name": "p", "query": "SELECT f() AS x", "udfs": same}), 400, "VALIDATION_ERROR", reason_code="DUPLICATE_NAME")


def test_functions_of_the_server_in_use(server):
    server.created("/connection_tables", {"name": "out", "connector": "blackhole", "config": {}})
    ids = {}
    for name, body in {"one": "x + 1", "two": "one(one(x))"}.items():
        ids[name] = server.created("/udfs", {"name": name, "language": "sql", "definition": body, "return_type": "BIGINT",
                                             "parameters": [{"name": "x", "type": "BIGINT"}]})["id"]
    used_by = refused_users(server, ids["one"])
    assert [(u["kind"], u["name"]) for u in used_by] == [("udf", "two")]
    # What a script declares is its own; the server's functions keep theirs.
    script = "CREATE FUNCTION one(x BIGINT) RETURNS BIGINT AS x * 100; " + impulse(count=2) + "SELECT one(counter) + two(counter) AS y FROM impulse"
    assert output(server, script) == [2, 103]
    query = impulse() + "INSERT INTO out SELECT two(counter) AS n FROM impulse WHERE two(counter) > 5"
    pipeline = server.created("/pipelines", {"name": "p", "query": query, "start": True})
    job = pipeline["current_job_id"]
    server.wait_state(job, "Running")
    for name in ids:
        assert ("pipeline", pipeline["id"]) in [(u["kind"], u["id"]) for u in refused_users(server, ids[name])], name
    assert [u["kind"] for u in server.ok(f"/udfs/{ids['one']}")["used_by"]] == ["pipeline", "udf"]
    named = server.created("/pipelines", {"name": "named", "query": impulse(count=1) + "SELECT counter FROM impulse", "udfs": ["ONE"]})
    assert named["udfs"] == ["one"] and named["id"] in [u["id"] for u in refused_users(server, ids["one"])]

    server.stop()
    server.start()
    server.wait(f"/jobs/{job}/metrics", lambda m: m["records_in"] > 0 and server.ok(f"/jobs/{job}")["stateDetail"] == "Running")
    assert [f["name"] for f in server.ok("/udfs?sort=name")["data"]] == ["one", "two"]
    refused_users(server, ids["two"])

    for name in ("p", "named"):
        found = [p for p in server.ok("/pipelines")["data"] if p["name"] == name][0]["id"]
        assert server.delete(f"/pipelines/{found}?force=true").status == 200
    assert server.delete(f"/udfs/{ids['two']}").status == 200
    assert server.delete(f"/udfs/{ids['one']}").status == 200
    answer = server.post("/pipelines", {"name": "p", "query": query})
    refused(answer, 400, "VALIDATION_ERROR", reason_code="UNKNOWN_FUNCTION")


def refused_users(server, udf):
    answer = server.delete(f"/udfs/{udf}")
    assert answer.status == 409 and answer.error == "IN_USE", answer
    return answer.json["error"]["details"]["used_by"]


def test_scripts(server):
    server.created("/udfs", FAHRENHEIT)
    server.created("/connection_tables", {"name": "out", "connector": "blackhole", "config": {}})
    script = ("CREATE FUNCTION twice(x BIGINT) RETURNS BIGINT AS x * 2;\n" + impulse(count=3) +
              "CREATE PIPELINE p AS INSERT INTO out SELECT fahrenheit(twice(counter)) AS f FROM impulse;\n"
              "SHOW FUNCTIONS;\nDROP FUNCTION IF EXISTS nothing;")
    answer = server.post("/sql", {"query": script})
    assert answer.status == 200, answer
    results = {entry.get("object", entry["kind"]): entry for entry in answer.json["results"]}
    assert "this script only" in results["function"]["warnings"][0] or results["function"]["kind"] == "dropped"
    assert ["fahrenheit", "scalar", "fahrenheit(c DOUBLE) → DOUBLE"] in results["rows"]["rows"]
    pipeline = server.ok("/pipelines")["data"][0]
    assert pipeline["query"].startswith("CREATE FUNCTION twice")
    refused(server.post("/sql", {"query": "DROP FUNCTION fahrenheit"}), 409, "IN_USE")
    assert server.delete(f"/pipelines/{pipeline['id']}").status == 200
    assert server.post("/sql", {"query": "DROP FUNCTION fahrenheit"}).json["results"][0]["kind"] == "dropped"
    refused(server.post("/sql", {"query": "DROP FUNCTION fahrenheit"}), 404, "NOT_FOUND")
    refused(server.post("/sql", {"query": "CREATE FUNCTION f() LANGUAGE python AS 'x'"}), 501, "NOT_IMPLEMENTED", feature="udf:python")


def test_failure_names_the_function(server):
    server.created("/udfs", {"name": "inverse", "language": "sql", "definition": "100 / x", "return_type": "BIGINT",
                             "parameters": [{"name": "x", "type": "BIGINT"}]})
    made = server.created("/pipelines/preview", {"query": impulse(count=3) + "SELECT inverse(counter) AS y FROM impulse"})
    job = server.wait_state(made["job_id"], "Failed")
    assert "function inverse: " in job["failure_message"] and job["failure_reason"]["domain"] == "user", job
