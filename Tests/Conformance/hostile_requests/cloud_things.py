"""What stands on networks, hosts and pools: for everybody, the victim's own, and what may be changed."""
from skerrylab.waiting import eventually

from .compute_bodies import SSH_KEY

NETWORK, COMPUTE, VOLUME = "/network/v2.0", "/compute/v2.1", "/volume/v3"
VERSIONS = [("OpenStack-API-Version", "compute 2.96, volume 3.70")]
PATIENCE_SECONDS = 120


class Maker:
    """Makes things as one caller. Ids are told to `tell(kind, id, path)`."""

    def __init__(self, stage, token, text, tell):
        self.stage, self.token, self.text, self.tell = stage, token, text, tell

    def make(self, kind, path, member, body, name="id", token=None):
        made = self.stage.api.call("POST", path, {member: body}, token=token or self.token, headers=VERSIONS)[member]
        self.tell(kind, str(made[name]), f"{path}/{made[name]}")
        return str(made[name])

    def wait(self, path, member, *wanted):
        def is_there():
            return self.stage.api.call("GET", path, token=self.token, headers=VERSIONS)[member]["status"] in wanted
        eventually(f"{path} is {wanted[0]}", is_there, PATIENCE_SECONDS, every=0.05)

    def networks(self, number):
        own = {"name": self.text, "description": self.text}
        network = self.make("network", f"{NETWORK}/networks", "network", own)
        subnet = self.make("subnet", f"{NETWORK}/subnets", "subnet", {
            **own, "network_id": network, "cidr": f"10.{number}.0.0/24", "ip_version": 4})
        group = self.make("security_group", f"{NETWORK}/security-groups", "security_group", own)
        self.make("security_group_rule", f"{NETWORK}/security-group-rules", "security_group_rule", {
            "security_group_id": group, "direction": "ingress", "protocol": "tcp", "port_range_min": 7,
            "port_range_max": 7, "description": self.text})
        port = self.make("port", f"{NETWORK}/ports", "port", {**own, "network_id": network, "security_groups": [group]})
        router = self.make("router", f"{NETWORK}/routers", "router", {
            **own, "external_gateway_info": {"network_id": self.stage.outside}})
        self.stage.api.call("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet},
                            token=self.token)
        floating = self.make("floatingip", f"{NETWORK}/floatingips", "floatingip", {
            "floating_network_id": self.stage.outside, "description": self.text})
        self.make("port_forwarding", f"{NETWORK}/floatingips/{floating}/port_forwardings", "port_forwarding", {
            "protocol": "tcp", "external_port": 80, "internal_port": 80, "internal_port_id": port,
            "internal_ip_address": self.address(port), "description": self.text})
        scope = self.make("address_scope", f"{NETWORK}/address-scopes", "address_scope", {
            "name": self.text, "ip_version": 4})
        self.make("subnetpool", f"{NETWORK}/subnetpools", "subnetpool", {
            **own, "prefixes": [f"172.{number}.0.0/16"], "address_scope_id": scope, "default_prefixlen": 24})
        self.make("address_group", f"{NETWORK}/address-groups", "address_group", {
            **own, "addresses": ["198.51.100.0/24"]})
        self.make("rbac_policy", f"{NETWORK}/rbac-policies", "rbac_policy", {
            "object_type": "security_group", "object_id": group, "action": "access_as_shared",
            "target_tenant": "0" * 31 + str(number % 10)})

    def address(self, port):
        found = self.stage.api.call("GET", f"{NETWORK}/ports/{port}", token=self.token)["port"]
        return found["fixed_ips"][0]["ip_address"]

    def servers(self):
        server = self.make("server", f"{COMPUTE}/servers", "server", {
            "name": self.text, "description": self.text, "metadata": {"toy": self.text}, "networks": "none",
            "imageRef": self.stage.seed, "flavorRef": self.stage.flavor, "tags": [self.text]})
        self.make("server_group", f"{COMPUTE}/os-server-groups", "server_group", {
            "name": self.text, "policy": "soft-affinity"})
        return server

    def volumes(self):
        def volume():
            key = self.make("volume", f"{VOLUME}/volumes", "volume", {
                "name": self.text, "description": self.text, "size": 1, "metadata": {"toy": self.text}})
            self.wait(f"{VOLUME}/volumes/{key}", "volume", "available")
            return key
        held, offered, volume_ = volume(), volume(), volume()
        self.make("attachment", f"{VOLUME}/attachments", "attachment", {"volume_uuid": held})
        self.make("transfer", f"{VOLUME}/volume-transfers", "transfer", {"volume_id": offered, "name": self.text})
        snapshot = self.make("volume_snapshot", f"{VOLUME}/snapshots", "snapshot", {
            "volume_id": volume_, "name": self.text, "description": self.text, "metadata": {"toy": self.text}})
        self.wait(f"{VOLUME}/snapshots/{snapshot}", "snapshot", "available")


def set_floor(stage):
    """What everybody may use: an image, a flavor, a way out; and the hosts' names."""
    api = stage.api
    image = api.call("POST", "/image/v2/images", {
        "name": "seed", "disk_format": "raw", "container_format": "bare", "visibility": "public"})["id"]
    api.call("PUT", f"/image/v2/images/{image}/file", bytes(1 << 16))
    stage.seed = stage.know("image", image)
    stage.flavor = stage.know("flavor", api.call("POST", f"{COMPUTE}/flavors", {"flavor": {
        "name": "seed", "ram": 64, "vcpus": 1, "disk": 1}})["flavor"]["id"])
    stage.outside = stage.know("network", api.call("POST", f"{NETWORK}/networks", {"network": {
        "name": "outside", "router:external": True}})["network"]["id"])
    stage.know("subnet", api.call("POST", f"{NETWORK}/subnets", {"subnet": {
        "network_id": stage.outside, "ip_version": 4, "cidr": "203.0.113.0/24"}})["subnet"]["id"])
    services = eventually("the hosts are there", lambda: [
        item for item in api.call("GET", f"{COMPUTE}/os-services", headers=VERSIONS)["services"]
        if item["binary"] == "nova-compute" and item["state"] == "up"], PATIENCE_SECONDS)
    hypervisors = api.call("GET", f"{COMPUTE}/os-hypervisors", headers=VERSIONS)["hypervisors"]
    eventually("there is a pool", lambda: api.call(
        "GET", f"{VOLUME}/scheduler-stats/get_pools", headers=VERSIONS)["pools"],
               PATIENCE_SECONDS)
    # They may be disabled: the broom enables them again.
    stage.ids["host"] = sorted(item["host"] for item in services)
    stage.ids["nova_service"] = [item["id"] for item in services]
    stage.ids["hypervisor"] = [item["id"] for item in hypervisors]
    stage.ids["agent"] = [item["id"] for item in api.call("GET", f"{NETWORK}/agents")["agents"]]


def plant(stage):
    """The victim's: with the secret in every text, and canaries to see that they stay as they are."""
    token = stage.tokens["victim"]

    def tell(kind, key, path):
        if kind not in stage.planted:
            stage.planted[kind] = key
        stage.know(kind, key)
        stage.canaries.append((path, token))

    maker = Maker(stage, token, stage.secret, tell)
    maker.networks(16)
    server = maker.servers()
    maker.wait(f"{COMPUTE}/servers/{server}", "server", "ACTIVE")
    maker.volumes()
    # The name stands in requests, and so it is not the secret.
    maker.make("keypair", f"{COMPUTE}/os-keypairs", "keypair", {
        "name": "vault-key", "type": "ssh", "public_key": SSH_KEY}, "name")
    hidden = maker.make("flavor", f"{COMPUTE}/flavors", "flavor", {
        "name": stage.secret, "ram": 64, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False},
        token=stage.api.token)
    stage.api.call("POST", f"{COMPUTE}/flavors/{hidden}/action", {
        "addTenantAccess": {"tenant": stage.projects["vault"]}})
    # Types have paths of the administrator's only.
    kind = stage.api.call("POST", f"{VOLUME}/types", headers=VERSIONS, body={"volume_type": {
        "name": stage.secret, "os-volume-type-access:is_public": False}})["volume_type"]["id"]
    stage.planted["volume_type"] = stage.know("volume_type", kind)
    stage.canaries.append((f"{VOLUME}/types/{kind}", None))


def toys(stage):
    """Makes what may be changed; gives (kind, id, caller)."""
    made = []

    def by(caller):
        return lambda kind, key, path: made.append((kind, key, caller))

    member = Maker(stage, stage.tokens["member"], "toy", by("member"))
    member.networks(17)
    for _ in range(3):
        member.servers()
    member.volumes()
    member.make("keypair", f"{COMPUTE}/os-keypairs", "keypair", {
        "name": "toy", "type": "ssh", "public_key": SSH_KEY}, "name")
    admin = Maker(stage, stage.api.token, "toy", by("admin"))
    admin.servers()
    admin.volumes()
    admin.networks(18)
    admin.make("network", f"{NETWORK}/networks", "network", {"name": "shared toy", "shared": True})
    admin.make("flavor", f"{COMPUTE}/flavors", "flavor", {"name": "toy", "ram": 128, "vcpus": 2, "disk": 1})
    admin.make("aggregate", f"{COMPUTE}/os-aggregates", "aggregate", {"name": "toy"})
    admin.make("volume_type", f"{VOLUME}/types", "volume_type", {"name": "toy"})
    admin.make("qos", f"{VOLUME}/qos-specs", "qos_specs", {"name": "toy", "consumer": "front-end"})
    return made
