"""An S3 server that checks signatures, for tests: versitygw over a folder. Buckets are folders of `root`, objects are files."""
import os, pathlib, socket, subprocess, time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ACCESS_KEY, SECRET_KEY = "laminar-access", "laminar-secret-7c1f"


class S3Server:
    def __init__(self, folder):
        self.program = subprocess.run([REPOSITORY / "tools/test_server", "versitygw"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.root, self.sidecar = folder / "s3", folder / "metadata"
        self.root.mkdir()
        self.sidecar.mkdir()  # beside the objects: not every file system has attributes
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
        self.process = subprocess.Popen(
            [self.program, "--quiet", "--port", f"127.0.0.1:{self.port}", "--access", ACCESS_KEY, "--secret", SECRET_KEY, "posix", "--sidecar", self.sidecar, self.root],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"versitygw ended with {self.process.returncode}"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("versitygw does not listen")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def bucket(self, name):
        (self.root / name).mkdir()
        return self.root / name

    def environment(self, **changes):
        """Of a process that uses the server."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**own, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}", "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, **changes}
