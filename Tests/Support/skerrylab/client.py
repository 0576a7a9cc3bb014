"""Requests to a coordinator, as plain as they can be."""
import http.client
import json
import ssl


class Refused(RuntimeError):
    pass


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body) if self.body else None


def by_password(user, password, project, domain="default"):
    """The body of POST /v3/auth/tokens; both are of the domain with this id."""
    domain = {"id": domain}
    return {"auth": {
        "identity": {"methods": ["password"], "password": {
            "user": {"name": user, "domain": domain, "password": password}}},
        "scope": {"project": {"name": project, "domain": domain}}}}


class Client:
    """Each request has its own connection, so threads can share a client, unless `keep` holds one open.

    `certificate` is the file by which the coordinator's is checked; without one there is no TLS.
    """

    def __init__(self, port, certificate=None, token=None, host="127.0.0.1", keep=False, timeout=60):
        self.host, self.port, self.timeout, self.token = host, port, timeout, token
        self.tls = ssl.create_default_context(cafile=str(certificate)) if certificate else None
        self.connection = self.connect() if keep else None

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)

    def send(self, method, path, body=None, headers=None):
        """The answer, whatever its status. `body` is JSON, or bytes, a file or blocks as they are."""
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("X-Auth-Token", self.token)
        is_json = isinstance(body, (dict, list))
        if body is not None:
            headers.setdefault("Content-Type", "application/json" if is_json else "application/octet-stream")
        connection = self.connection or self.connect()
        try:
            connection.request(method, path, json.dumps(body) if is_json else body, headers)
            return Answer(connection.getresponse())
        finally:
            if connection is not self.connection:
                connection.close()

    def call(self, method, path, body=None, headers=None):
        """The parsed answer of what must succeed; None when it is empty."""
        answer = self.send(method, path, body, headers)
        if answer.status >= 300:
            raise Refused(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
        return answer.json

    def log_in(self, user, password, project, domain="default"):
        """From now on the requests are this user's. Returns what the token says."""
        self.token = None
        answer = self.send("POST", "/identity/v3/auth/tokens", by_password(user, password, project, domain))
        if answer.status != 201:
            raise Refused(f"{user} cannot log in: {answer.status} {answer.body[:500]!r}")
        self.token = answer.headers["X-Subject-Token"]
        return answer.json["token"]
