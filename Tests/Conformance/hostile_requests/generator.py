"""Makes requests: sound ones, those with one thing wrong, and hostile ones."""
import itertools
import re
from urllib.parse import quote, unquote

from . import making, routes, text, tricks
from .dice import Dice

CALLERS = ("admin",) * 6 + ("manager",) * 2 + ("member",) * 4 + (
    "reader", "foreigner", "foreigner", "none", "restricted", "trustee", "unscoped")
WITHOUT_RIGHTS = ("member", "reader", "foreigner", "none")
SELF_SERVICE = re.compile(r"/users/[^/]+/(application_credentials|credentials/OS-EC2)$")
# How often a toy is drawn again when it is another project's.
OWN_TRIES = 3
# What can be in many states is asked for more often than what has one.
WEIGHTS = {
    "server_action": 6, "server_power": 8, "server": 6, "volume_attachment": 4, "interface": 4, "volume": 3,
    "volume_action": 8, "snapshot": 3, "attachment": 2, "port": 2, "port_change": 2, "router_interface": 4,
    "router_change": 3, "floatingip": 2, "floatingip_change": 3, "security_group_rule": 3, "subnet": 2}
# Until then there are routes of other services in this one.
PROXIES = re.compile(r"/compute/v2.1/(?:images|os-floating-ip|os-networks|os-tenant-networks|os-security-group)")
# GET that changes something, as in the imitated service.
CHANGING_GET = re.compile(r"/(?:associate|disassociate|disassociate_all)$")
# The services whose versions have minor ones, by their names in the header, with the newest.
VERSIONED = {"/compute": ("compute", 96), "/volume": ("volume", 70)}
GRANT = re.compile(r"/(?:users|groups)/([^/]+)/roles/")


class Request:
    """`malformed`: HTTP itself is broken, so the connection may end, and the answer need not be the service's."""

    def __init__(self, number, caller, route, intent):
        self.number, self.caller, self.route, self.intent = number, caller, route, intent
        self.method, self.path, self.query = route.method, route.service + route.path, ""
        self.headers = []
        self.body = None
        self.malformed = False
        self.spoil = None
        self.tricks = []

    @property
    def target(self):
        return self.path + ("?" + self.query if self.query else "")

    @property
    def is_safe(self):
        return self.method in ("GET", "HEAD", "OPTIONS", "TRACE") and not CHANGING_GET.search(self.route.path)

    def bytes(self):
        body = self.body or b""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        names = {name.lower() for name, _ in self.headers}
        if "host" not in names:
            lines.append("Host: localhost")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if "transfer-encoding" in names:
            body = tricks.chunked(body)
        elif body or self.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        whole = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body
        return self.spoil(whole) if self.spoil else whole


class Generator(Dice):
    LIMIT = 40

    def __init__(self, seed, stage, web_port):
        super().__init__(seed)
        self.stage = stage
        self.web_port = web_port
        self.toys, self.makers = {}, {}
        self.scratch = []
        self.limit_names = []
        self.number = 0
        self.weights = list(itertools.accumulate(WEIGHTS.get(route.body, 1) for route in routes.ALL))
        self.consumers = [self.uuid() for _ in range(4)]
        self.caller, self.is_powerful = "none", False
        self.protected = {plain(key) for key in stage.protected}

    # What bodies are made of

    def word(self):
        return f"w{self.getrandbits(40):010x}"

    def id(self, kind):
        """Of a toy mostly; else the caller's own, the victim's, or one that is not there."""
        if kind == "own_project":
            return self.own_project()
        if kind == "any_project":
            # Of which everybody may ask something.
            return self.choice((*self.toys.get("project", ()), self.own_project(), self.key()))
        toys, known = self.toys.get(kind), self.stage.ids.get(kind)
        turn = self.random()
        if self.is_powerful and toys and turn < 0.95:
            return self.toy(toys)
        if not self.is_powerful and turn < 0.15 and kind in self.stage.planted:
            return self.stage.planted[kind]
        if kind in ("user", "project") and turn < 0.3:
            own = self.stage.users.get(self.caller) if kind == "user" else self.stage.projects.get(
                {"admin": "admin", "foreigner": "there"}.get(self.caller, "here"))
            if own:
                return own
        if toys and turn < 0.75 or self.is_powerful and kind in routes.CLOUD_KINDS:
            # Nobody powerful names the victim's: that would change.
            return self.toy(toys) if toys else self.uuid()
        if known and turn < 0.95:
            return self.choice(known)
        if turn > 0.98:
            # What is the id of something else.
            return self.choice(self.stage.ids[self.choice(sorted(self.stage.ids))])
        return self.fixed(kind) or (self.uuid() if self.chance(0.5) else self.key())

    def toy(self, toys):
        """Mostly one that the caller's own project made."""
        for _ in range(OWN_TRIES):
            key = self.choice(toys)
            if self.makers.get(key) == self.own_project():
                break
        return key

    def own_project(self):
        names = {"admin": "admin", "foreigner": "there", "victim": "vault"}
        return self.stage.projects[names.get(self.caller, "here")]

    def fixed(self, kind):
        """Names that are no ids."""
        if kind == "number":
            return str(self.choice((0, 1, 2, 10 ** 30, -1)))
        if kind == "host":
            return self.choice(self.stage.ids["host"])
        if kind == "service_verb":
            return self.choice(("enable", "enable", "disable", "disable-log-reason", "freeze", "thaw", "failover_host",
                                "get-log", "set-log"))
        if kind == "key":
            return self.choice(("toy", "key", self.word()))
        if kind in ("tag", "store", "object", "property", "type", "namespace"):
            return self.choice(("default", "a b", "OS::Nova::Server", self.word()))
        if kind == "consumer":
            return self.choice(self.consumers)
        if kind == "class":
            return self.choice(("VCPU", "MEMORY_MB", "DISK_GB", "CUSTOM_TOY", "NOTHING"))
        if kind == "trait":
            return self.choice(("HW_CPU_X86_VMX", "MISC_SHARES_VIA_AGGREGATE", "CUSTOM_TOY", "NOTHING"))
        return {"config_group": self.choice(("ldap", "identity", "nothing")),
                "config_option": self.choice(("url", "driver", "password", "nothing"))}.get(kind)

    def limit_name(self):
        return self.choice(self.limit_names) if self.limit_names else self.word()

    def token(self):
        """For a log-in or a validation."""
        turn = self.random()
        if turn < 0.3:
            return self.choice(self.stage.odd_tokens)
        if turn < 0.5 and self.scratch:
            return self.choice(self.scratch)
        return self.stage.tokens[self.choice(("member", "reader", "foreigner", "manager"))]

    def web_address(self):
        return self.choice((
            f"http://127.0.0.1:{self.web_port}/sound.raw", f"http://127.0.0.1:{self.web_port}/missing",
            "http://127.0.0.1:1/", "http://169.254.169.254/latest", "file:///etc/passwd", "http://[::1]/", "ftp://a/b",
            "http://user:pass@example.org/", "http://localhost/", "http://0x7f000001/", "http://2130706433/", "gopher:",
            "http://example.org:99999/", "http://", "//", "http://a\r\nb/", "https://exa\u202emple.org/"))

    # What answers teach

    def learn(self, kind, key, caller="member"):
        self.makers[key] = self.stage.projects.get({"admin": "admin", "foreigner": "there"}.get(caller, "here"))
        toys = self.toys.setdefault(kind, [])
        if len(toys) < self.LIMIT:
            toys.append(key)
        else:
            toys[self.randrange(self.LIMIT)] = key

    def learn_token(self, token):
        self.scratch = self.scratch[-20:] + [token]

    def refill(self):
        """With new toys, after a sweep."""
        self.toys.clear()
        self.makers.clear()
        self.limit_names[:] = ["toys"]
        for kind, key, *caller in self.stage.toys():
            self.learn(kind, key, *caller)

    # Requests

    def request(self):
        self.number += 1
        route = self.choices(routes.ALL, cum_weights=self.weights)[0]
        self.caller = self.choice(CALLERS)
        # Most of what is known otherwise is spared.
        self.is_powerful = self.caller in ("admin", "manager") and route.method != "GET"
        intent = self.choices(("valid", "near", "hostile"), (40, 25, 35))[0]
        request = Request(self.number, self.caller, route, intent)
        if route.method == "GET" and self.chance(0.1):
            request.method = "HEAD"
        request.path = route.service + re.sub(
            r"\{(\w+)\}", lambda found: quote(str(self.id(found[1])), safe="", errors="surrogatepass"), route.path)
        if route.service == "/volume" and self.chance(0.4):
            # The same without the project, as newer clients say it.
            request.path = re.sub(r"^/volume/v3/[^/]+/", "/volume/v3/", request.path)
        self.add_query(request)
        self.add_token(request)
        self.add_body(request)
        if intent == "hostile":
            for _ in range(self.choice((1, 1, 1, 2, 3))):
                tricks.play(self, request)
        self.spare(request)
        return request

    def add_query(self, request):
        filters = request.route.filters
        if not filters or self.chance(0.6):
            return
        pairs = [(self.choice(filters), self.query_value()) for _ in range(self.choice((1, 1, 2, 3)))]
        request.query = "&".join(f"{name}={quote(value, safe=':,', errors='surrogatepass')}" for name, value in pairs)

    def query_value(self):
        if self.chance(0.5):
            return self.choice(tricks.QUERY_VALUES)
        if self.chance(0.3):
            return self.choice(tricks.PLACEMENT_VALUES)
        kind = self.choice((
            "project", "domain", "user", "image", "role", "region", "service", "namespace", "provider", "network",
            "subnet", "port", "router", "server", "volume", "volume_type", "security_group", "host"))
        return str(self.id(kind))

    def add_token(self, request):
        token = self.stage.tokens[self.caller]
        if token:
            request.headers.append(("X-Auth-Token", token))
        if request.route.service == "/placement":
            minor = self.choice((39, 39, 39, 39, 0, 1, 6, 12, 14, 20, 28, 30, 36, 99))
            request.headers.append(("OpenStack-API-Version", f"placement 1.{minor}"))
        if request.route.service in VERSIONED:
            name, newest = VERSIONED[request.route.service]
            major = 2 if name == "compute" else 3
            if PROXIES.match(request.path) and self.chance(0.8):
                newest = 35
            minor = newest if self.chance(0.85) else self.choice((0, 1, 2, 26, 30, 36, 42, 59, 66, 79, 99, 10 ** 20))
            request.headers.append(("OpenStack-API-Version", f"{name} {major}.{minor}"))
        if request.route.path == "/v3/auth/tokens" and request.method != "POST":
            subject = self.subject(request)
            request.headers.append(("X-Subject-Token", subject))
            # A control character in a header is not HTTP.
            request.malformed = any(ord(character) < 32 for character in subject)

    def subject(self, request):
        if request.method == "DELETE":
            # What really is the caller's, or the administrator's to revoke, must live on.
            if self.caller != "admin" and self.chance(0.3):
                return self.stage.tokens[self.choice(("admin", "victim"))]
            return self.choice(self.scratch or self.stage.odd_tokens)
        return self.token()

    def add_body(self, request):
        name = request.route.body
        if name == "@data":
            request.headers.append(("Content-Type", "application/octet-stream"))
            request.body = self.randbytes(self.choice((0, 1, 511, 512, 4096, 20000)))
            if self.chance(0.2):
                request.headers.append(("Content-Range", self.choice(tricks.CONTENT_RANGES)))
            return
        if not name:
            return
        value = making.body(request.route, self)
        if request.intent == "near":
            value = self.mutate(value)
        elif request.intent == "hostile" and self.chance(0.3):
            value = self.mutate(self.mutate(value)) if isinstance(value, (dict, list)) else value
        request.body = text.dumps(value).encode("utf-8", "surrogatepass")
        kind = "application/json"
        if name == "image_patch":
            kind = "application/openstack-images-v2.1-json-patch"
            if self.chance(0.1):
                kind = "application/openstack-images-v2.0-json-patch"
        request.headers.append(("Content-Type", kind))

    def spare(self, request):
        """Whoever has the right to it must not end what the run stands on: then somebody without it asks."""
        if request.is_safe:
            return
        if request.caller == "admin" or request.caller == "manager":
            if self.endangers(request):
                self.become(request, self.choice(WITHOUT_RIGHTS))
        # One's own password and tokens are one's own.
        while request.caller != "none" and re.search(r"/(password|tokens)$", request.path) and any(
                plain(self.stage.users[request.caller]) in plain(part) for part in request.path.split("/")):
            self.become(request, "none")

    def endangers(self, request):
        path = unquote(request.path, errors="replace")
        if SELF_SERVICE.search(path) and request.method == "POST":
            return False
        grant = GRANT.search(path)
        if grant and not self.is_protected(grant[1]):
            return False
        # The project before a volume is but the caller's own.
        path = re.sub(r"^/volume/v3/[^/]+/(.)", r"/volume/v3/\1", path)
        return any(self.is_protected(part) for part in path.split("/"))

    def is_protected(self, part):
        whole = plain(part)
        return whole in self.protected or any(key in whole for key in self.protected if len(key) == 32)

    def become(self, request, caller):
        request.caller = caller
        token = self.stage.tokens[caller]
        headers = [(name, value) for name, value in request.headers if name.lower() != "x-auth-token"]
        request.headers = headers + ([("X-Auth-Token", token)] if token else [])


def plain(key):
    return key.lower().replace("-", "").strip("{} \t").removeprefix("urn:uuid:")
