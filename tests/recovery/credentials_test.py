#!/usr/bin/env python3
"""Who asks a bucket: keys of service accounts, applications and signatures of Azure, each against a server that checks them.

    tests/recovery/credentials_test.py --laminar build/dev/laminar [name…]
"""
import argparse, base64, datetime, hashlib, hmac, http.client, http.server, json, os, pathlib, shutil, subprocess, sys, tempfile, threading, time, urllib.parse

from bucket_servers import Azure, Gcs

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Door:
    """An HTTP server that answers by `answer(method, path, headers, body)` → (status, body) or None: then the request goes on to `behind`, a port."""

    def __init__(self, answer, behind=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, text = answer(self.command, self.path, self.headers, body) or self.forward(body)
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

            def forward(self, body):
                connection = http.client.HTTPConnection("127.0.0.1", behind)
                connection.request(self.command, self.path, body, {name: value for name, value in self.headers.items() if name.lower() not in ("host", "authorization")})
                response = connection.getresponse()
                return response.status, response.read()

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def job(folder):
    (folder / "in.json").write_text('{"id": 1}\n')
    script = folder / "job.sql"
    script.write_text(f"""
CREATE TABLE t (id BIGINT) WITH (connector = 'single_file', path = '{folder}/in.json', type = 'source', format = 'json');
CREATE TABLE o (id BIGINT) WITH (connector = 'single_file', path = '{folder}/out.json', type = 'sink', format = 'json');
INSERT INTO o SELECT id FROM t;
""")
    return script


@test
def service_account(laminar, folder):
    private, public = folder / "private.pem", folder / "public.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    tokens = []

    def token_for(body):
        form = urllib.parse.parse_qs(body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"], form
        head, claims, signature = form["assertion"][0].split(".")
        (folder / "text").write_text(f"{head}.{claims}")
        (folder / "signature").write_bytes(from_base64url(signature))
        subprocess.run(["openssl", "dgst", "-sha256", "-verify", public, "-signature", folder / "signature", folder / "text"], check=True, capture_output=True)
        assert json.loads(from_base64url(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
        said = json.loads(from_base64url(claims))
        assert said["iss"] == "job@project.example" and said["aud"].endswith("/token") and "devstorage.read_write" in said["scope"], said
        assert abs(said["iat"] - time.time()) < 60 and 0 < said["exp"] - said["iat"] <= 3600, said
        tokens.append(f"token-{len(tokens)}-5e2a")
        return 200, json.dumps({"access_token": tokens[-1], "expires_in": 3600, "token_type": "Bearer"}).encode()

    def answer(method, path, headers, body):
        if path == "/token":
            return token_for(body)
        if path == "/denied":
            return 400, json.dumps({"error": "invalid_grant", "error_description": "account not found"}).encode()
        if not tokens or headers.get("authorization") != "Bearer " + tokens[-1]:
            return 401, json.dumps({"error": {"code": 401, "message": "Anonymous caller does not have storage.objects.list access"}}).encode()
        if "/forbidden/" in path:
            return 403, json.dumps({"error": {"code": 403, "message": "job@project.example does not have storage.objects.list access"}}).encode()

    with Gcs(folder) as store, Door(answer, behind=store.port) as door:
        store.bucket("bucket")
        key = {"type": "service_account", "client_email": "job@project.example", "private_key_id": "k1", "private_key": private.read_text(), "token_uri": f"http://127.0.0.1:{door.port}/token"}
        path = folder / "key.json"
        path.write_text(json.dumps(key))
        url, endpoint = "gs://bucket/state", {"STORAGE_EMULATOR_HOST": f"127.0.0.1:{door.port}"}

        def run(*arguments, **variables):
            done = subprocess.run([laminar, *arguments], env=store.environment(**endpoint, **variables), capture_output=True, text=True, timeout=60)
            assert not any(secret in done.stdout + done.stderr for secret in ["PRIVATE", "5e2a"]), done
            return done

        done = run("run", "-q", job(folder), "--state", url, GOOGLE_APPLICATION_CREDENTIALS=str(path))
        assert done.returncode == 0 and (folder / "out.json").read_text() == '{"id":1}\n', done
        assert len(tokens) == 1, "a token is asked for once and kept"
        for arguments in [["--state-option", f"google_service_account_path={path}"], ["--state-option", f"google_service_account_key={path.read_text()}"]]:
            done = run("checkpoint", "ls", url, *arguments)
            assert done.returncode == 0 and "final" in done.stdout, done
        done = run("checkpoint", "ls", url)
        assert done.returncode == 1 and "Anonymous caller" in done.stderr and "set google_service_account_path" in done.stderr, done
        done = run("checkpoint", "ls", "gs://forbidden/state", GOOGLE_APPLICATION_CREDENTIALS=str(path))
        assert done.returncode == 1 and "service account 'job@project.example' may not do this" in done.stderr, done
        path.write_text(json.dumps({**key, "token_uri": f"http://127.0.0.1:{door.port}/denied"}))
        done = run("checkpoint", "ls", url, GOOGLE_APPLICATION_CREDENTIALS=str(path))
        assert done.returncode == 1 and "no access token for service account 'job@project.example'" in done.stderr and "account not found" in done.stderr, done


@test
def application_of_azure(laminar, folder):
    secret = "hidden-8d1b"

    def answer(method, path, headers, body):
        if path == "/tenant-1/oauth2/v2.0/token":
            form = {name: values[0] for name, values in urllib.parse.parse_qs(body.decode()).items()}
            good = form == {"grant_type": "client_credentials", "client_id": "app-1", "client_secret": secret, "scope": "https://storage.azure.com/.default"}
            return (200, b'{"access_token": "token-9c3f", "expires_in": 3600}') if good else (401, b'{"error": "invalid_client", "error_description": "wrong secret"}')
        if headers.get("authorization") != "Bearer token-9c3f" or not headers.get("x-ms-version"):
            return 403, b"<Error><Code>AuthorizationPermissionMismatch</Code><Message>Not allowed.\nId and time</Message></Error>"
        assert path.startswith("/account/box?comp=list&"), path
        return 200, b"<EnumerationResults><Blobs></Blobs><NextMarker /></EnumerationResults>"

    with Door(answer) as door:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}

        def ls(**variables):
            given = {"AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{door.port}", "AZURE_AUTHORITY_HOST": f"http://127.0.0.1:{door.port}", "AZURE_TENANT_ID": "tenant-1",
                     "AZURE_CLIENT_ID": "app-1", "AZURE_CLIENT_SECRET": secret, **variables}
            return subprocess.run([laminar, "checkpoint", "ls", "abfss://box@account.dfs.core.windows.net/state"], env={**own, **given}, capture_output=True, text=True, timeout=60)

        done = ls()
        assert "9c3f" not in done.stderr and "status" not in done.stderr, done
        done = ls(AZURE_CLIENT_SECRET="wrong-77aa")
        assert done.returncode == 1 and "no access token for application 'app-1'" in done.stderr and "wrong secret" in done.stderr and "77aa" not in done.stderr, done


@test
def signature_of_azure(laminar, folder):
    with Azure(folder) as store:
        bucket = store.bucket("box")

        def signature(permissions, end):
            fields = {"sv": "2021-12-02", "ss": "b", "srt": "sco", "sp": permissions, "se": end.strftime("%Y-%m-%dT%H:%M:%SZ"), "spr": "https,http"}
            text = "\n".join([store.account, fields["sp"], fields["ss"], fields["srt"], "", fields["se"], "", fields["spr"], fields["sv"], "", ""])
            fields["sig"] = base64.b64encode(hmac.new(base64.b64decode(store.secret), text.encode(), hashlib.sha256).digest()).decode()
            return urllib.parse.urlencode(fields)

        def run(*arguments, token):
            done = subprocess.run([laminar, *arguments], env=store.environment(AZURE_STORAGE_KEY="", AZURE_STORAGE_SAS_TOKEN=token), capture_output=True, text=True, timeout=60)
            assert "sig=" not in done.stderr, done
            return done

        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        done = run("run", "-q", job(folder), "--state", bucket.url("state"), token="?" + signature("racwdl", later))
        assert done.returncode == 0 and (folder / "out.json").read_text() == '{"id":1}\n', done
        done = run("checkpoint", "ls", bucket.url("state"), token=signature("rl", later))
        assert done.returncode == 0 and "final" in done.stdout, done
        done = run("checkpoint", "ls", bucket.url("state"), token=signature("racwdl", later - datetime.timedelta(days=1)))
        assert done.returncode == 1 and "check azure_sas_token" in done.stderr, done


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--laminar", required=True)
    arguments.add_argument("names", nargs="*")
    options = arguments.parse_args()
    chosen = [function for function in TESTS if not options.names or function.__name__ in options.names]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="laminar-credentials-"))
    try:
        for function in chosen:
            (folder / function.__name__).mkdir()
            function(options.laminar, folder / function.__name__)
            print(f"{function.__name__}: ok", flush=True)
    except BaseException:
        print(f"kept {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)
    print(f"{len(chosen)} passed, 0 failed")


if __name__ == "__main__":
    main()
