"""Who calls, what they own, and the victim whose things nobody else may see or change."""
import datetime
import json
import secrets

from skerrylab.waiting import eventually

from . import cloud_things
from .api import Api

PASSWORD = "Hostile-1"
SHORT_SECONDS = 10
PLACEMENT = [("OpenStack-API-Version", "placement 1.39")]


class Stage:
    """Two domains. In `near` stand the manager, the member and the reader, in `far` the foreigner and the victim.

    `tokens` is by caller; `ids` has by kind what everybody may name; `protected` are ids that must outlive the run.
    The victim's things carry `secret` in every text, and no request ever says it.
    """

    def __init__(self, cloud):
        self.cloud = cloud
        self.api = Api(cloud)
        self.secret = "planted" + secrets.token_hex(8)
        self.ids = {}
        self.protected = set()
        self.tokens = {"none": None}
        self.users = {}
        self.projects = {}
        self.odd_tokens = []
        self.canaries = []

    def know(self, kind, key):
        self.ids.setdefault(kind, []).append(key)
        self.protected.add(key)
        return key

    def set(self):
        admin = {"user": {"name": "admin", "domain": {"id": "default"}, "password": self.cloud.password}}
        self.api.token = self.api.log_in("password", admin, project_scope("admin", "default"))
        self.tokens["admin"] = self.api.token
        me = self.api.call("GET", "/identity/v3/auth/tokens",
                           headers=[("X-Subject-Token", self.api.token)])["token"]
        self.users["admin"] = self.know("user", me["user"]["id"])
        self.projects["admin"] = self.know("project", me["project"]["id"])
        self.know_what_is_there()
        self.make_people()
        self.make_delegates()
        short = self.make_short_token()
        cloud_things.set_floor(self)
        self.plant()
        cloud_things.plant(self)
        self.learn_canaries()
        self.make_odd_tokens(short)

    def know_what_is_there(self):
        self.roles = {}
        for role in self.api.call("GET", "/identity/v3/roles")["roles"]:
            self.roles[role["name"]] = self.know("role", role["id"])
        for kind in ("domain", "region", "service", "endpoint", "project", "user"):
            for item in self.api.call("GET", f"/identity/v3/{kind}s")[f"{kind}s"]:
                if item["id"] not in self.protected:
                    self.know(kind, item["id"])
        for item in self.api.call("GET", "/image/v2/metadefs/namespaces?limit=2")["namespaces"]:
            self.know("namespace", item["namespace"])

    # People

    def make_people(self):
        self.near, self.far = self.make("domain", name="near"), self.make("domain", name="far")
        for name, domain in (("here", self.near), ("there", self.far), ("vault", self.far)):
            self.projects[name] = self.make("project", name=name, domain_id=domain)
        for name, domain, project, role in (
                ("manager", self.near, None, "manager"), ("member", self.near, "here", "member"),
                ("reader", self.near, "here", "reader"), ("foreigner", self.far, "there", "member"),
                ("victim", self.far, "vault", "member")):
            self.users[name] = self.make("user", name=name, domain_id=domain, password=PASSWORD)
            place = f"projects/{self.projects[project]}" if project else f"domains/{domain}"
            self.api.call("PUT", f"/identity/v3/{place}/users/{self.users[name]}/roles/{self.roles[role]}")
            scope = {"project": {"id": self.projects[project]}} if project else {"domain": {"id": domain}}
            claim = {"user": {"id": self.users[name], "password": PASSWORD}}
            self.tokens[name] = self.api.log_in("password", claim, scope)

    def make_delegates(self):
        """Who acts for the member with less, and who has no scope. Nobody is told what they live on."""
        member, here = self.users["member"], self.projects["here"]
        made = self.api.call(
            "POST", f"/identity/v3/users/{member}/application_credentials", token=self.tokens["member"],
            body={"application_credential": {"name": "restricted", "secret": "restricted"}})["application_credential"]
        claim = {"id": made["id"], "secret": "restricted"}
        self.tokens["restricted"] = self.api.log_in("application_credential", claim)
        trust = self.api.call("POST", "/identity/v3/OS-TRUST/trusts", token=self.tokens["member"], body={"trust": {
            "trustor_user_id": member, "trustee_user_id": self.users["reader"], "impersonation": False,
            "project_id": here, "roles": [{"name": "member"}]}})["trust"]
        self.tokens["trustee"] = self.api.log_in(
            "token", {"id": self.tokens["reader"]}, {"OS-TRUST:trust": {"id": trust["id"]}})
        self.tokens["unscoped"] = self.api.log_in("token", {"id": self.tokens["reader"]}, "unscoped")
        self.users.update(restricted=member, trustee=self.users["reader"], unscoped=self.users["reader"])
        self.protected |= {made["id"], trust["id"]}

    def make(self, kind, **members):
        return self.know(kind, self.api.call("POST", f"/identity/v3/{kind}s", {kind: members})[kind]["id"])

    # Tokens that are none

    def make_short_token(self):
        """One that ends soon, but not before it is made on a slow machine."""
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=SHORT_SECONDS)
        user = self.users["member"]
        made = self.api.call(
            "POST", f"/identity/v3/users/{user}/application_credentials", token=self.tokens["member"],
            body={"application_credential": {"name": "short", "secret": "short",
                                             "expires_at": soon.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}})
        # So that the token ends by its time alone.
        self.protected.add(made["application_credential"]["id"])
        return self.api.log_in(
            "application_credential", {"id": made["application_credential"]["id"], "secret": "short"})

    def make_odd_tokens(self, short):
        token = self.tokens["member"]
        revoked = self.scratch_token()
        self.api.call("DELETE", "/identity/v3/auth/tokens", headers=[("X-Subject-Token", revoked)])
        for name, dead in (("that expires", short), ("that was revoked", revoked)):
            eventually(f"the token {name} is refused", lambda: self.api.send(
                "GET", "/identity/v3/auth/projects", token=dead).status == 401)
        middle = len(token) // 2
        other = "A" if token[middle] != "A" else "B"
        self.odd_tokens = [
            short, revoked, token[:-1], token[:middle], token[1:], token + "A", token + "=", token.swapcase(),
            token[:middle] + other + token[middle + 1:], token[:middle] + self.tokens["admin"][middle:],
            token + token, f"Bearer {token}", f'"{token}"', "gAAAAA" + "A" * 180, "A" * len(token), "0" * 32, "null",
            "A" * 8000, "%00", "\x01", "-", "é"]

    def scratch_token(self):
        return self.api.log_in("token", {"id": self.tokens["member"]}, {"project": {"id": self.projects["here"]}})

    # The victim's things

    def plant(self):
        self.planted = {"domain": self.far}
        secret, vault, victim, token = self.secret, self.projects["vault"], self.users["victim"], self.tokens["victim"]
        call, identity, image = self.api.call, "/identity/v3", "/image/v2"

        def plant(kind, path, body, place, key="id", **options):
            made = call("POST", path, body, **options)
            made = made[kind] if isinstance(made.get(kind), dict) else made
            self.planted[kind] = self.know(kind, made[key])
            self.canaries.append((place or path + "/" + made[key], options.get("token")))
            return made[key]

        far = {"name": secret, "description": secret, "domain_id": self.far}
        for kind in ("project", "group", "role"):
            plant(kind, f"{identity}/{kind}s", {kind: dict(far, **({"tags": [secret]} if kind == "project" else {}))},
                  None)
        plant("user", f"{identity}/users", {"user": dict(far, email=f"{secret}@example.org", shoe=secret)}, None)
        call("PUT", f"{identity}/domains/{self.far}/config", {"config": {"ldap": {"url": f"ldap://{secret}"}}})
        self.canaries.append((f"{identity}/domains/{self.far}/config", None))
        call("PUT", f"{identity}/projects/{vault}/tags/{secret}")
        own = {"name": secret, "description": secret}
        plant("application_credential", f"{identity}/users/{victim}/application_credentials", {
            "application_credential": dict(own, access_rules=[
                {"path": f"/{secret}", "method": "GET", "service": "compute"}])}, None, token=token)
        for rule in call("GET", f"{identity}/users/{victim}/access_rules", token=token)["access_rules"]:
            self.know("access_rule", rule["id"])
            self.canaries.append((f"{identity}/users/{victim}/access_rules/{rule['id']}", token))
        plant("credential", f"{identity}/credentials", {"credential": {
            "type": "cert", "blob": secret, "user_id": victim, "project_id": vault}}, None)
        access = call("POST", f"{identity}/users/{victim}/credentials/OS-EC2", {"tenant_id": vault}, token=token)
        self.know("ec2", access["credential"]["access"])
        self.canaries.append((f"{identity}/users/{victim}/credentials/OS-EC2/{access['credential']['access']}", token))
        self.ec2_secret = access["credential"]["secret"]
        plant("trust", f"{identity}/OS-TRUST/trusts", {"trust": {
            "trustor_user_id": victim, "trustee_user_id": self.users["admin"], "impersonation": True,
            "project_id": vault, "roles": [{"name": "member"}], "note": secret}}, None, token=token)
        plant("image", f"{image}/images", {
            "name": secret, "tags": [secret], "colour": secret, "visibility": "private", "disk_format": "raw",
            "container_format": "bare"}, None, token=token)
        key = self.planted["image"]
        call("PUT", f"{image}/images/{key}/file", secret.encode() * 100, token=token)
        self.canaries.append((f"{image}/images/{key}/file", token))
        plant("namespace", f"{image}/metadefs/namespaces", {
            "namespace": "vault-definitions", "description": secret, "visibility": "private", "owner": vault,
            "properties": {secret: {"title": secret, "type": "string"}}, "tags": [{"name": secret}]},
            f"{image}/metadefs/namespaces/vault-definitions", key="namespace")
        for path in (f"{identity}/users/{victim}", f"{identity}/projects/{vault}", f"{identity}/domains/{self.far}",
                     f"{identity}/role_assignments?user.id={victim}", f"{identity}/projects/{vault}/tags",
                     f"{image}/images/{key}/members"):
            self.canaries.append((path, None))

    # What may be changed

    def toys(self):
        """Makes one of each kind that nobody needs; yields (kind, id)."""
        identity, image = "/identity/v3", "/image/v2"
        here, member = self.projects["here"], self.users["member"]

        def made(kind, path, body, token=None, key="id"):
            answer = self.api.call("POST", path, body, token=token)
            name = "credential" if kind == "ec2" else kind
            answer = answer[name] if isinstance(answer.get(name), dict) else answer
            return kind, answer[key]

        for kind in ("project", "group", "user"):
            for number in range(3):
                domain = (self.near, self.near, "default")[number]
                yield made(kind, f"{identity}/{kind}s", {kind: {"name": f"toy{number}", "domain_id": domain}})
        yield made("domain", f"{identity}/domains", {"domain": {"name": "toy", "enabled": False}})
        for number in range(2):
            yield made("role", f"{identity}/roles", {"role": {"name": f"toy{number}"}})
            yield made("region", f"{identity}/regions", {"region": {"id": f"toy{number}"}})
            yield made("policy", f"{identity}/policies", {"policy": {"blob": "{}", "type": "application/json"}})
            yield made("credential", f"{identity}/credentials", {"credential": {
                "type": "cert", "blob": "toy", "user_id": member, "project_id": here}})
        service = made("service", f"{identity}/services", {"service": {"name": "toy", "type": "toy"}})
        yield service
        yield made("endpoint", f"{identity}/endpoints", {"endpoint": {
            "service_id": service[1], "interface": "public", "url": "http://toy.example.org/"}})
        yield made("endpoint_group", f"{identity}/OS-EP-FILTER/endpoint_groups", {"endpoint_group": {
            "name": "toy", "filters": {"service_id": service[1]}}})
        limited = {"service_id": service[1], "resource_name": "toys"}
        registered = self.api.call("POST", f"{identity}/registered_limits", {
            "registered_limits": [{**limited, "default_limit": 5}]})["registered_limits"]
        yield "registered_limit", registered[0]["id"]
        limits = self.api.call("POST", f"{identity}/limits", {"limits": [
            {**limited, "resource_limit": 9, "project_id": here}]})["limits"]
        yield "limit", limits[0]["id"]
        token = self.tokens["member"]
        yield made("ec2", f"{identity}/users/{member}/credentials/OS-EC2", {"tenant_id": here}, token, "access")
        yield made("trust", f"{identity}/OS-TRUST/trusts", {"trust": {
            "trustor_user_id": member, "trustee_user_id": self.users["reader"], "impersonation": True,
            "project_id": here, "roles": [{"name": "reader"}]}}, token)
        yield made("application_credential", f"{identity}/users/{member}/application_credentials", {
            "application_credential": {"name": "toy", "access_rules": [
                {"path": "/toy", "method": "GET", "service": "toy"}]}}, token)
        for rule in self.api.call("GET", f"{identity}/users/{member}/access_rules", token=token)["access_rules"]:
            yield "access_rule", rule["id"]
        for kind in ("raw", "raw", "qcow2", "vmdk", "raw", "raw"):
            yield made("image", f"{image}/images", {
                "name": "toy", "disk_format": kind, "container_format": "bare"}, token)
        yield made("namespace", f"{image}/metadefs/namespaces", {
            "namespace": "toy", "visibility": "public", "owner": here, "tags": [{"name": "toy"}],
            "properties": {"toy": {"title": "toy", "type": "string"}}, "objects": [{"name": "toy"}],
            "resource_type_associations": [{"name": "toy"}]}, None, "namespace")
        for kind in ("object", "property", "tag", "type"):
            yield kind, "toy"
        yield from self.toy_providers()
        yield from cloud_things.toys(self)

    def toy_providers(self):
        parent = None
        for number in range(3):
            made = self.api.call("POST", "/placement/resource_providers", {
                "name": f"toy{number}", "parent_provider_uuid": parent}, headers=PLACEMENT)
            parent = parent or made["uuid"]
            self.api.call("PUT", f"/placement/resource_providers/{made['uuid']}/inventories", {
                "resource_provider_generation": 0, "inventories": {"VCPU": {"total": 64}, "MEMORY_MB": {"total": 64}}},
                headers=PLACEMENT)
            yield "provider", made["uuid"]

    def learn_canaries(self):
        self.seen = [self.look(path, token) for path, token in self.canaries]

    def look(self, path, token):
        answer = self.api.send("GET", path, token=token, headers=cloud_things.VERSIONS)
        # Members of an object come in any order.
        return answer.status, json.loads(answer.body) if answer.body[:1] == b"{" else answer.body

    def changed_canaries(self):
        """What of the victim's is not as it was planted."""
        return [f"{path}: was {seen}, is {now}" for (path, token), seen in zip(self.canaries, self.seen)
                if (now := self.look(path, token)) != seen]


def project_scope(name, domain):
    return {"project": {"name": name, "domain": {"id": domain}}}
