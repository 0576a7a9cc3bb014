"""The few calls with which the cloud is prepared."""
import http.client
import json
import ssl


class Client:
    def __init__(self, cloud):
        self.connection = http.client.HTTPSConnection(
            "127.0.0.1", cloud.port, timeout=60, context=ssl.create_default_context(cafile=str(cloud.certificate)))
        self.headers = {}
        user = {"name": "admin", "domain": {"id": "default"}, "password": cloud.password}
        answer = self.call("POST", "/identity/v3/auth/tokens", {"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "admin", "domain": {"id": "default"}}}}})
        self.headers = {"X-Auth-Token": self.answered["X-Subject-Token"]}
        self.catalog = {service["type"] for service in answer["token"]["catalog"]}

    def call(self, method, path, body=None):
        """The parsed answer; `body` is JSON, or bytes as they are."""
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        self.connection.request(method, path, data, {**self.headers, "Content-Type": kind})
        response = self.connection.getresponse()
        answer = response.read()
        self.answered = response.headers
        # The server closes what is idle for long, and there may be long between two calls.
        self.connection.close()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:500]!r}")
        return json.loads(answer) if answer else None
