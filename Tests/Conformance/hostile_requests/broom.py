"""Takes away what the requests made."""
import json
from urllib.parse import quote

from . import cloud_broom, people


class Broom:
    """Knows what was there, and deletes the rest, so that the state stays small."""

    COLLECTIONS = (
        ("identity/v3", "limits", "limit"), ("identity/v3", "registered_limits", "registered_limit"),
        ("identity/v3", "endpoints", "endpoint"), ("identity/v3", "services", "service"),
        ("identity/v3/OS-EP-FILTER", "endpoint_groups", "endpoint_group"), ("identity/v3", "policies", "policy"),
        ("identity/v3", "credentials", "credential"), ("identity/v3/OS-TRUST", "trusts", "trust"),
        ("identity/v3", "projects", "project"), ("identity/v3", "users", "user"), ("identity/v3", "groups", "group"),
        ("identity/v3", "roles", "role"), ("identity/v3", "domains", "domain"), ("identity/v3", "regions", "region"))

    def __init__(self, stage):
        self.stage = stage
        self.api = stage.api
        self.left = {}
        self.collections = {path: self.keys(path, name) for path, name, _ in self.places()}
        self.images = set(self.image_keys())
        self.namespaces = self.namespace_keys()
        self.providers = {item["uuid"] for item in self.api.call("GET", "/placement/resource_providers")[
            "resource_providers"]}
        self.cloud = cloud_broom.CloudBroom(stage, self.left)

    def places(self):
        for prefix, name, kind in self.COLLECTIONS:
            yield f"/{prefix}/{name}", name, kind
        for domain in (self.stage.near, self.stage.far):
            yield f"/identity/v3/roles?domain_id={domain}", "roles", "role"

    def keys(self, path, name):
        return {item["id"] for item in self.api.call("GET", path)[name]}

    def image_keys(self):
        for hidden in ("false", "true"):
            path = f"/image/v2/images?limit=1000&visibility=all&member_status=all&os_hidden={hidden}"
            yield from (image["id"] for image in self.api.call("GET", path)["images"])

    def namespace_keys(self):
        return {item["namespace"] for item in self.api.call("GET", "/image/v2/metadefs/namespaces?limit=1000")[
            "namespaces"]}

    def sweep(self):
        self.cloud.sweep()
        for key in set(self.image_keys()) - self.images:
            self.delete(f"/image/v2/images/{key}", [{"op": "replace", "path": "/protected", "value": False}],
                        [("Content-Type", "application/openstack-images-v2.1-json-patch")])
        for name in self.namespace_keys() - self.namespaces:
            path = f"/image/v2/metadefs/namespaces/{quoted(name)}"
            if self.try_delete(path) == 403:
                self.api.send("PUT", path, {"namespace": name, "protected": False})
                self.must_delete(path)
        for path, name, kind in self.places():
            for key in self.keys(path, name) - self.collections[path]:
                whole = f"{path.split('?')[0]}/{quoted(key)}"
                change = {"enabled": False} if kind in ("domain", "project") else {}
                unlock = {kind: {"options": {"immutable": False}}}
                self.delete(whole, unlock, disable={kind: change} if change else None)
        self.sweep_providers()
        for user in self.stage.users.values():
            self.sweep_user(f"/identity/v3/users/{user}")

    def sweep_providers(self):
        """Whoever has children goes after them."""
        def providers():
            found = self.api.call("GET", "/placement/resource_providers", headers=people.PLACEMENT)
            return [item for item in found["resource_providers"] if item["uuid"] not in self.providers]

        while found := providers():
            parents = {item["parent_provider_uuid"] for item in found}
            leaves = [f"/placement/resource_providers/{item['uuid']}" for item in found if item["uuid"] not in parents]
            for path in leaves:
                held = self.api.call("GET", f"{path}/allocations", headers=people.PLACEMENT)["allocations"]
                for consumer in held:
                    self.try_delete(f"/placement/allocations/{consumer}")
                self.must_delete(path)
            if not leaves or any(path in self.left for path in leaves):
                return

    def sweep_user(self, path):
        for name, key in (("application_credentials", "id"), ("access_rules", "id"), ("credentials/OS-EC2", "access")):
            answer = self.api.send("GET", f"{path}/{name}")
            if answer.status != 200:
                continue
            for item in json.loads(answer.body)[name.split("/")[0]]:
                if item[key] not in self.stage.protected:
                    self.must_delete(f"{path}/{name}/{quoted(item[key])}")

    def delete(self, path, unlock, headers=(), disable=None):
        if disable and not self.disabled(path, disable):
            self.api.send("PATCH", path, unlock, headers=headers)
            self.disabled(path, disable)
        query = "?cascade=true" if disable else ""
        if self.try_delete(path + query) not in (204, 404):
            self.api.send("PATCH", path, unlock, headers=headers)
            self.must_delete(path + query)

    def disabled(self, path, change):
        return self.api.send("PATCH", path + ("?cascade=true" if "projects" in path else ""), change).status == 200

    def try_delete(self, path):
        return self.api.send("DELETE", path).status

    def must_delete(self, path):
        answer = self.api.send("DELETE", path)
        if answer.status not in (204, 404):
            self.left[path] = f"{answer.status} {answer.body[:200]!r}"


def quoted(key):
    return quote(key, safe="", errors="surrogatepass")
