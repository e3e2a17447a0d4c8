"""Object stores for tests, each behind the same few calls: versitygw (S3, checks signatures), fake-gcs-server (Google Cloud Storage) and azurite (Azure, checks
signatures). A server's `bucket(name)` makes a bucket, `environment()` is that of a process that may use it."""
import base64, email.utils, hashlib, hmac, http.client, json, os, pathlib, re, socket, subprocess, time, urllib.parse

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


class Server:
    """One program that listens on a port of its own."""
    program = ""

    def __init__(self, folder):
        self.path = subprocess.run([REPOSITORY / "tools/test_server", self.program], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.folder = folder / self.program
        self.folder.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"{self.program} ended with {self.process.returncode}"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"{self.program} does not listen")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def environment(self, **changes):
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AZURE_", "GOOGLE_", "STORAGE_"))}
        return {**own, **self.variables(), **changes}

    def request(self, method, path, body=b"", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        assert response.status < 400, (method, path, response.status, text)
        return text


class S3(Server):
    """Buckets are folders, objects are files."""
    name, program, endpoint_variable = "s3", "versitygw", "AWS_ENDPOINT_URL"
    secret, secret_variable = "laminar-secret-7c1f", "AWS_SECRET_ACCESS_KEY"
    denied, hint, no_bucket = "SignatureDoesNotMatch", "check the access key id", "NoSuchBucket"
    misspelt, meant = "aws_regoin", "aws_region"

    def command(self):
        for name in ("objects", "metadata"):  # beside the objects: not every file system has attributes
            (self.folder / name).mkdir(exist_ok=True)
        return [self.path, "--quiet", "--port", f"127.0.0.1:{self.port}", "--access", "laminar-access", "--secret", self.secret, "posix", "--sidecar", self.folder / "metadata", self.folder / "objects"]

    def variables(self):
        return {"AWS_ENDPOINT_URL": self.endpoint(), "AWS_ACCESS_KEY_ID": "laminar-access", "AWS_SECRET_ACCESS_KEY": self.secret}

    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def options(self):
        return {"aws_endpoint": self.endpoint(), "aws_access_key_id": "laminar-access", "aws_secret_access_key": self.secret}

    def url(self, bucket, path):
        return f"s3://{bucket}/{path}"

    def url_with_credentials(self, bucket):
        return f"s3://laminar-access:{self.secret}@{bucket}/state"

    def bucket(self, name):
        (self.folder / "objects" / name).mkdir()
        return S3Bucket(self, name)


class S3Bucket:
    def __init__(self, server, name):
        self.server, self.name, self.folder = server, name, server.folder / "objects" / name

    def url(self, path):
        return self.server.url(self.name, path)

    def put(self, key, text):
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def names(self, prefix=""):
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(name for name in (str(path.relative_to(self.folder)) for path in paths) if name.startswith(prefix) and not name.startswith(".sgwtmp"))

    def text(self, key):
        return (self.folder / key).read_text()

    def unfinished_uploads(self):
        return [str(path) for path in self.folder.rglob("*") if path.is_file() and ".sgwtmp" in path.parts]


class Gcs(Server):
    name, program, endpoint_variable = "gcs", "fake-gcs-server", "STORAGE_EMULATOR_HOST"
    secret, secret_variable = None, None  # the emulator lets everybody in; tests/recovery/credentials_test.py has a server that does not
    no_bucket = "is there a bucket"
    misspelt, meant = "google_endpiont", "google_endpoint"

    def command(self):
        return [self.path, "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port), "-backend", "memory", "-public-host", f"127.0.0.1:{self.port}"]

    def variables(self):
        return {"STORAGE_EMULATOR_HOST": f"127.0.0.1:{self.port}"}

    def options(self):
        return {"google_endpoint": f"http://127.0.0.1:{self.port}"}

    def url(self, bucket, path):
        return f"gs://{bucket}/{path}"

    def url_with_credentials(self, bucket):
        return f"gs://user:hidden-93a1@{bucket}/state"

    def bucket(self, name):
        self.request("POST", "/storage/v1/b?project=p", json.dumps({"name": name}), {"content-type": "application/json"})
        return GcsBucket(self, name)


class GcsBucket:
    def __init__(self, server, name):
        self.server, self.name = server, name

    def url(self, path):
        return self.server.url(self.name, path)

    def put(self, key, text):
        self.server.request("POST", f"/upload/storage/v1/b/{self.name}/o?uploadType=media&name=" + urllib.parse.quote(key, safe=""), text.encode())

    def names(self, prefix=""):
        names, token = [], ""
        while True:
            page = json.loads(self.server.request("GET", f"/storage/v1/b/{self.name}/o?fields=items(name),nextPageToken&prefix={urllib.parse.quote(prefix)}{token}"))
            names += [item["name"] for item in page.get("items", [])]
            if not page.get("nextPageToken"):
                return sorted(names)
            token = "&pageToken=" + urllib.parse.quote(page["nextPageToken"])

    def text(self, key):
        return self.server.request("GET", f"/storage/v1/b/{self.name}/o/{urllib.parse.quote(key, safe='')}?alt=media").decode()

    def unfinished_uploads(self):
        return [name for name in self.names() if "/.tmp/parts/" in name]


class Azure(Server):
    name, program, endpoint_variable = "azure", "azurite", "AZURE_STORAGE_ENDPOINT"
    account = "devstoreaccount1"
    # The emulator's well-known key.
    secret, secret_variable = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==", "AZURE_STORAGE_KEY"
    denied, hint, no_bucket = "status 403", "check that azure_storage_account_key", "ContainerNotFound"
    misspelt, meant = "azure_sas_tokne", "azure_sas_token"

    def command(self):
        return [self.path, "--location", self.folder, "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--skipApiVersionCheck", "--disableTelemetry", "--silent"]

    def variables(self):
        return {"AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{self.port}", "AZURE_STORAGE_ACCOUNT": self.account, "AZURE_STORAGE_KEY": self.secret}

    def options(self):
        return {"azure_endpoint": f"http://127.0.0.1:{self.port}", "azure_storage_account_key": self.secret}

    def url(self, bucket, path):
        return f"abfss://{bucket}@{self.account}.dfs.core.windows.net/{path}"

    def url_with_credentials(self, bucket):
        return f"abfss://{bucket}:{self.secret[:20]}@{self.account}.dfs.core.windows.net/state"

    def call(self, method, path, query=None, body=b"", headers=None):
        headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-12-02", **(headers or {})}
        signed = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
        what = f"/{self.account}/{self.account}{path}" + "".join(f"\n{name}:{value}" for name, value in sorted((query or {}).items()))
        text = f"{method}\n\n\n{len(body) or ''}\n\n\n\n\n\n\n\n\n{signed}{what}"
        digest = hmac.new(base64.b64decode(self.secret), text.encode(), hashlib.sha256).digest()
        headers["authorization"] = f"SharedKey {self.account}:" + base64.b64encode(digest).decode()
        return self.request(method, f"/{self.account}{path}" + ("?" + urllib.parse.urlencode(query) if query else ""), body, headers)

    def bucket(self, name):
        self.call("PUT", "/" + name, {"restype": "container"})
        return AzureContainer(self, name)


class AzureContainer:
    def __init__(self, server, name):
        self.server, self.name = server, name

    def url(self, path):
        return self.server.url(self.name, path)

    def put(self, key, text):
        self.server.call("PUT", f"/{self.name}/{key}", body=text.encode(), headers={"x-ms-blob-type": "BlockBlob"})

    def names(self, prefix="", **query):
        names, marker = [], ""
        while True:
            page = self.server.call("GET", "/" + self.name, {"restype": "container", "comp": "list", "prefix": prefix, "marker": marker, **query}).decode()
            names += re.findall("<Name>(.*?)</Name>", page)
            marker = (re.findall("<NextMarker>(.*?)</NextMarker>", page) or [""])[0]
            if not marker:
                return sorted(names)

    def text(self, key):
        return self.server.call("GET", f"/{self.name}/{key}").decode()

    def unfinished_uploads(self):
        """Blobs that have blocks and no list of them: nobody sees them, and the store drops them after a week."""
        return sorted(set(self.names(include="uncommittedblobs")) - set(self.names()))


SERVERS = [S3, Gcs, Azure]
