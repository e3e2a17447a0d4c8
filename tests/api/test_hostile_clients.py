"""Clients that are slow, rude or malformed: the server answers the others, and its memory stays bounded."""

import json
import os
import socket
import time
import urllib.parse


def address(server):
    parts = urllib.parse.urlparse(server.url)
    return parts.hostname, parts.port


def memory(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def grew(server, before, most):
    """Whether memory grew by more than so many MB. A sanitizer notes several bytes of its own for each, and frees late."""
    with open(f"/proc/{server.process.pid}/maps") as maps:
        sanitized = any("libasan" in line or "libtsan" in line for line in maps)
    return memory(server) - before >= most * (10 if sanitized else 1)


def exchange(server, raw, seconds=20):
    """What comes back for bytes as they are, until the server closes."""
    with socket.create_connection(address(server), timeout=seconds) as connection:
        try:
            connection.sendall(raw)
        except ConnectionError:
            pass
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass
    return answer


def test_slow_headers_hold_sockets_only(start_server):
    server = start_server(environment={"LAMINAR__API__REQUEST_TIMEOUT": "2s"})
    before = memory(server)
    slow = [socket.create_connection(address(server)) for _ in range(300)]
    for connection in slow:
        connection.sendall(b"GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    start = time.monotonic()
    assert server.get("/ping").json == "Pong" and time.monotonic() - start < 2
    for connection in slow:  # a byte now and then does not move the deadline
        connection.settimeout(20)
        try:
            connection.sendall(b"a")
            while connection.recv(4096):
                pass
        except ConnectionError:
            pass
        connection.close()
    assert time.monotonic() - start < 20 and server.get("/ping").json == "Pong"
    assert not grew(server, before, 60)


def test_more_connections_than_allowed(start_server):
    server = start_server(environment={"LAMINAR__API__CONNECTIONS_MAX": "20"})
    held = [socket.create_connection(address(server)) for _ in range(60)]
    deadline = time.monotonic() + 20
    for connection in held:
        connection.close()
    while True:
        try:
            assert server.get("/ping").json == "Pong"
            return
        except OSError:
            assert time.monotonic() < deadline


def test_headers_and_bodies_beyond_the_limits(server):
    before = memory(server)
    huge = b"GET /api/v1/ping HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000) for i in range(2000)) + b"\r\n"
    assert exchange(server, huge).startswith(b"HTTP/1.1 431")
    assert b"400" in exchange(server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not http\r\n\r\n")[:20]
    assert b" 404 " in exchange(server, b"GET /api/v1/%ff%00%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[:20]
    for length in (b"99999999999999999999", b"-1", b"4611686018427387904"):
        assert exchange(server, b"POST /api/v1/pipelines HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n{}")[9:12] in (b"400", b"413")
    for _ in range(20):  # 40 MiB that nobody wants
        try:
            assert server.post("/pipelines", raw=b'{"query": "' + b"x" * (2 << 20) + b'"}').status == 413
        except OSError:
            pass
    chunked = b"POST /api/v1/pipelines HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"100000\r\n" + b"z" * (1 << 20) + b"\r\n" + b"100000\r\n" + b"z" * (1 << 20)
    assert b" 413 " in exchange(server, chunked)[:20]
    assert server.get("/ping").json == "Pong" and not grew(server, before, 80)


def test_json_that_hurts(server):
    before = memory(server)
    deep = b'{"name":"d","connector":"kafka","config":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"
    many = b'{"name":"m","connector":"kafka","config":{' + b",".join(b'"k%d":%d' % (i, i) for i in range(60_000)) + b"}}"
    for raw in (deep, many, b'{"name":"\xc3\x28"}', b'{"name":"\\ud800"}', b"\xef\xbb\xbf{}", b'{"query":"' + b"(" * 500_000 + b'"}', b'{"query":"SELECT ' + b"1+" * 200_000 + b'1"}'):
        for path in ("/connection_profiles", "/pipelines", "/pipelines/validate_query", "/sql"):
            answer = server.post(path, raw=raw)
            assert 200 <= answer.status < 500, (raw[:40], path, answer.status)
            assert "error" not in answer.json or answer.error
    assert server.get("/ping").json == "Pong" and not grew(server, before, 150)


def test_readers_that_do_not_read(server):
    from conftest import impulse
    pipeline = server.created("/pipelines", {"name": "p", "query": impulse(20_000) + "SELECT counter, 'some text to fill the buffers of the socket' AS t FROM impulse", "start": True})
    job = pipeline["current_job_id"]
    server.wait_state(job, "Running")
    before = memory(server)
    readers = []
    for _ in range(20):
        connection = socket.create_connection(address(server))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(f"GET /api/v1/jobs/{job}/output?stream=true HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        readers.append(connection)
    seen = server.ok(f"/jobs/{job}/metrics")["records_in"]
    server.wait(f"/jobs/{job}/metrics", lambda m: m["records_in"] > seen + 60_000)
    assert not grew(server, before, 150)
    for connection in readers:
        connection.close()
    assert json.loads(server.get("/ping").text) == "Pong" and os.path.exists(f"/proc/{server.process.pid}")
