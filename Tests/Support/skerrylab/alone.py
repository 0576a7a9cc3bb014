"""A coordinator by itself: plain HTTP on loopback, in a folder of its own, to be killed and started at will."""
import http.client
import json
import pathlib
import secrets
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time

from .private import binaries, die_with_parent, free_port


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body) if self.body else {}


class Coordinator:
    """Use as a context; `settings` is YAML below `images:`, indented by two blanks."""

    def __init__(self, settings=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="skerry-alone-"))
        self.images = self.folder / "state" / "images"
        self.port, self.agent_port = free_port(), free_port()
        self.password = secrets.token_hex(12)
        self.process = None
        (self.folder / "password").write_text(self.password)
        (self.folder / "coordinator.yaml").write_text(
            f"state_directory: {self.folder}/state\n"
            f"api: {{listen: '127.0.0.1:{self.port}', tls: false}}\n"
            f"agents: {{listen: '127.0.0.1:{self.agent_port}'}}\n"
            f"socket: {self.folder}/socket\n"
            "metrics: {listen: none}\n" + (f"images:\n{settings}" if settings else ""))

    def __enter__(self):
        self.run("init", "--admin-password-file", self.folder / "password")
        self.start()
        self.token = self.log_in()
        return self

    def __exit__(self, *_):
        if self.process:
            self.kill()
        self.remove()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, verb, *arguments):
        subprocess.run(
            [binaries() / "skerry-coordinator", verb, "--config", self.folder / "coordinator.yaml", *arguments],
            check=True, capture_output=True, timeout=60)

    def start(self):
        log = open(self.folder / "log", "a")
        self.process = subprocess.Popen(
            [binaries() / "skerry-coordinator", "run", "--config", self.folder / "coordinator.yaml"], stdout=log,
            stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        deadline = time.monotonic() + 30
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def log_in(self):
        user = {"name": "admin", "domain": {"id": "default"}, "password": self.password}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        self.token = None
        return self.call("POST", "/identity/v3/auth/tokens", body).headers["X-Subject-Token"]

    def call(self, method, path, body=None, headers=None, timeout=60):
        headers = dict(headers or {})
        if self.token:
            headers["X-Auth-Token"] = self.token
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def rows(self, query):
        """Straight from the database, which another process may be writing."""
        database = sqlite3.connect(f"file:{self.folder}/state/skerry.db?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()

    def files(self):
        """The contents and the parts in the blob store."""
        names = {path.name for path in self.images.iterdir()}
        return {name for name in names if not name.startswith("part-")}, {n for n in names if n.startswith("part-")}
