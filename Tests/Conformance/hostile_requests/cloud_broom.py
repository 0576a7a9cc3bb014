"""Takes away what the requests made on networks, hosts and pools."""
import json
import time
from urllib.parse import quote

from .cloud_things import COMPUTE, NETWORK, VERSIONS, VOLUME

PATIENCE_SECONDS = 120
GONE_SECONDS = 1


class CloudBroom:
    """Knows what was there, and deletes the rest. `left` gets what could not be deleted, by its path."""

    # Path of the list, its member, and the path of one.
    NETWORKS = (
        ("floatingips", "floatingips"), ("routers", "routers"), ("ports", "ports"), ("rbac-policies", "rbac_policies"),
        ("subnets", "subnets"), ("networks", "networks"), ("security-group-rules", "security_group_rules"),
        ("security-groups", "security_groups"), ("subnetpools", "subnetpools"), ("address-scopes", "address_scopes"),
        ("address-groups", "address_groups"))

    def __init__(self, stage, left):
        self.stage, self.api, self.left = stage, stage.api, left
        self.first = {item["id"] for _, item in self.everything()}
        self.first |= {item["id"] for item in self.servers()}

    def get(self, path, member):
        answer = self.api.send("GET", path, headers=VERSIONS)
        if answer.status != 200:
            self.left[path] = f"could not be listed: {answer.status} {answer.body[:200]!r}"
            return []
        return json.loads(answer.body)[member]

    def servers(self):
        return self.get(f"{COMPUTE}/servers/detail?all_tenants=1&limit=1000", "servers")

    def volumes(self):
        for path, member in (("volume-transfers", "transfers"), ("attachments", "attachments"),
                             ("snapshots", "snapshots"), ("volumes", "volumes")):
            for item in self.get(f"{VOLUME}/{path}/detail?all_tenants=1", member):
                yield f"{VOLUME}/{path}", item

    def kinds(self):
        for item in self.get(f"{COMPUTE}/flavors/detail?is_public=None", "flavors"):
            yield f"{COMPUTE}/flavors", item
        for item in self.get(f"{COMPUTE}/os-server-groups?all_projects=1", "server_groups"):
            yield f"{COMPUTE}/os-server-groups", item
        for item in self.get(f"{VOLUME}/types?is_public=None", "volume_types"):
            yield f"{VOLUME}/types", item
        for item in self.get(f"{VOLUME}/qos-specs", "qos_specs"):
            yield f"{VOLUME}/qos-specs", item

    def networks(self):
        for path, member in self.NETWORKS:
            for item in self.get(f"{NETWORK}/{path}", member):
                yield f"{NETWORK}/{path}", item

    def everything(self):
        for part in (self.volumes, self.kinds, self.networks):
            yield from part()

    # Sweeping

    def sweep(self):
        self.enable()
        self.sweep_servers()
        self.sweep_volumes()
        for item in self.get(f"{VOLUME}/default-types", "default_types"):
            self.delete(f"{VOLUME}/default-types/{item['project_id']}")
        for path, item in self.fresh(self.kinds()):
            self.delete(f"{path}/{item['id']}" + ("?force=true" if "qos" in path else ""))
        for item in self.get(f"{COMPUTE}/os-aggregates", "aggregates"):
            for host in item["hosts"]:
                self.post(f"{COMPUTE}/os-aggregates/{item['id']}/action", {"remove_host": {"host": host}})
            self.delete(f"{COMPUTE}/os-aggregates/{item['id']}")
        self.sweep_keypairs()
        self.sweep_networks()

    def fresh(self, items):
        return [(path, item) for path, item in items if item["id"] not in self.first]

    def enable(self):
        for key in self.stage.ids["nova_service"]:
            self.api.send("PUT", f"{COMPUTE}/os-services/{key}", {"status": "enabled", "forced_down": False},
                          headers=VERSIONS)
        for host in self.get(f"{VOLUME}/os-services", "services"):
            for verb in ("enable", "thaw"):
                self.api.send("PUT", f"{VOLUME}/os-services/{verb}", {"host": host["host"], "binary": host["binary"]},
                              headers=VERSIONS)
        self.api.send("PUT", f"{VOLUME}/os-quota-class-sets/default", {"quota_class_set": {
            "volumes": 10, "snapshots": 10, "gigabytes": 1000, "per_volume_gigabytes": -1}}, headers=VERSIONS)

    def sweep_servers(self):
        paths = [f"{COMPUTE}/servers/{item['id']}" for item in self.servers() if item["id"] not in self.first]
        for path in paths:
            self.post(path + "/action", {"unlock": None})
            self.delete(path)
        self.expect_gone(paths)

    def sweep_volumes(self):
        for path, item in self.fresh(self.volumes()):
            whole = f"{path}/{item['id']}"
            if path.endswith(("/snapshots", "/volumes")):
                detached = {"attach_status": "detached"} if path.endswith("volumes") else {}
                self.post(whole + "/action", {"os-reset_status": {"status": "error", **detached}})
                if path.endswith("/volumes"):
                    self.expect_gone([f"{VOLUME}/snapshots/{snapshot['id']}" for snapshot in self.get(
                        f"{VOLUME}/snapshots/detail?all_tenants=1&volume_id={item['id']}", "snapshots")])
                self.post(whole + "/action", {"os-force_delete": None})
            else:
                self.delete(whole)
        self.expect_gone([f"{path}/{item['id']}" for path, item in self.fresh(self.volumes())])

    def sweep_keypairs(self):
        users = [item["id"] for item in self.get("/identity/v3/users", "users")]
        for user in users:
            for item in self.get(f"{COMPUTE}/os-keypairs?user_id={user}", "keypairs"):
                name = item["keypair"]["name"]
                if name != "vault-key":
                    self.delete(f"{COMPUTE}/os-keypairs/{quote(name, safe='')}?user_id={user}")

    def sweep_networks(self):
        for path, item in self.fresh(self.networks()):
            whole = f"{path}/{item['id']}"
            if path.endswith("/routers"):
                self.sweep_router(whole, item["id"])
            if path.endswith("/floatingips"):
                for forwarding in self.get(whole + "/port_forwardings", "port_forwardings"):
                    self.delete(f"{whole}/port_forwardings/{forwarding['id']}")
            if path.endswith("/ports") and str(item.get("device_owner")).startswith("network:"):
                self.api.send("DELETE", whole)
            elif item.get("name") != "default" or not path.endswith("/security-groups"):
                # Rules of a default group are made with it, and groups of projects that are gone go with them.
                self.delete(whole)

    def sweep_router(self, path, key):
        self.api.send("PUT", path, {"router": {"routes": []}})
        for port in self.get(f"{NETWORK}/ports?device_id={key}", "ports"):
            if port["device_owner"] == "network:router_interface":
                self.api.send("PUT", path + "/remove_router_interface", {"port_id": port["id"]})

    # Calls

    def post(self, path, body):
        return self.api.send("POST", path, body, headers=VERSIONS).status

    def delete(self, path):
        answer = self.api.send("DELETE", path, headers=VERSIONS)
        if answer.status not in (200, 202, 204, 404):
            self.left[path] = f"{answer.status} {answer.body[:200]!r}"

    def expect_gone(self, paths):
        deadline = time.monotonic() + PATIENCE_SECONDS
        for path in paths:
            again = time.monotonic() + GONE_SECONDS
            while (answer := self.api.send("GET", path, headers=VERSIONS)).status != 404:
                if time.monotonic() > deadline:
                    self.left[path] = f"still there: {answer.body[:300]!r}"
                    break
                if time.monotonic() > again:
                    # What was under way may have made the first try void.
                    again += 10
                    action = {"forceDelete": None} if "/servers/" in path else {"os-force_delete": None}
                    self.post(path + "/action", action)
                time.sleep(0.05)
