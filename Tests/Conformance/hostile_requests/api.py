"""Ordinary calls: to set the stage, and to clear it between the acts."""
import json

from . import wire


class Refused(Exception):
    def __init__(self, method, path, answer):
        super().__init__(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
        self.status = answer.status


class Api:
    def __init__(self, cloud):
        self.connection = wire.Connection(cloud.port, cloud.certificate)
        self.token = None

    def send(self, method, path, body=None, token=None, headers=()):
        """The answer, whatever its status. `body` is JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(data)}",
                 f"X-Auth-Token: {token or self.token or ''}"]
        lines += [] if "Content-Type" in dict(headers) else [f"Content-Type: {kind}"]
        lines += [f"{name}: {value}" for name, value in headers]
        whole = ("\r\n".join(lines) + "\r\n\r\n").encode() + data
        for attempt in (0, 1):
            self.connection.send(whole)
            try:
                return self.connection.receive(method)
            except wire.Dropped:
                # The server closes what was idle for long.
                if attempt:
                    raise

    def call(self, method, path, body=None, **options):
        """The parsed answer of what must succeed."""
        answer = self.send(method, path, body, **options)
        if answer.status >= 300:
            raise Refused(method, path, answer)
        return json.loads(answer.body) if answer.body[:1] in (b"{", b"[") else None

    def log_in(self, method, claim, scope=None):
        auth = {"identity": {"methods": [method], method: claim}}
        if scope:
            auth["scope"] = scope
        answer = self.send("POST", "/identity/v3/auth/tokens", {"auth": auth}, token="none")
        if answer.status != 201:
            raise Refused("POST", "/identity/v3/auth/tokens", answer)
        return answer.headers["x-subject-token"]
