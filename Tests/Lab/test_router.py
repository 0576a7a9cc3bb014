"""A project's own network over two hosts, behind a router with floating IPs: guests of both, reached from outside."""
import base64
import ipaddress
import json
import time

import pytest

from conftest import agent_changes, write_configuration
from skerrylab.cloud import Cloud
from skerrylab.guest import ssh, wait_ready
from skerrylab.leftovers import difference, snapshot
from skerrylab.waiting import eventually

GATEWAY = "172.24.4.1"
INSIDE = "10.66.0.0/24"
SCRIPT = f"""#!/bin/sh
for try in $(seq 90); do ping -c 1 -W 1 {GATEWAY} >/dev/null && echo OUTSIDE-ANSWERS && exit; sleep 1; done
"""


@pytest.fixture(scope="module")
def second(cloud, hosts, folder):
    """An agent on lab2 that runs guests and routes nothing: it has no way to the external network."""
    _, host = hosts
    prefix = folder / "far"
    second = Cloud(host, prefix)
    changes = agent_changes(prefix, "lab2", "lab: flat0", "10.77.0.1")
    write_configuration("agent.yaml", prefix, {**changes, "roles:": "roles: [compute, storage]"})
    second.packaging("layout_create; build_binaries; libvirt_start")
    token = cloud.skerry("node", "token").strip()
    second.packaging(f'"$bin_dir/skerry-agent" join --config "$agent_config" --coordinator 10.77.0.1:8701 --token {token}')
    second.start("agent")
    eventually(
        "lab2 is up",
        lambda: any("lab2" in line and " up " in f"{line} " for line in cloud.skerry("node", "list").splitlines()), 30)
    yield second
    cloud.skerry("node", "remove", "lab2")
    second.stop("agent")
    second.packaging("guests_stop; libvirt_stop")


class Tenancy:
    """A network with a router to the outside, and a guest on each host."""

    def __init__(self, cloud, second, admin):
        network = admin.network
        self.cloud, self.second, self.admin = cloud, second, admin
        self.network = network.create_network(name="inside")
        self.subnet = network.create_subnet(
            network_id=self.network.id, ip_version=4, cidr=INSIDE, name="inside", dns_nameservers=[])
        self.external = network.find_network("external")
        self.router = network.create_router(name="door", external_gateway_info={"network_id": self.external.id})
        network.add_interface_to_router(self.router, subnet_id=self.subnet.id)
        self.group = network.create_security_group(name="door")
        for protocol, port in (("icmp", None), ("tcp", 22)):
            network.create_security_group_rule(
                security_group_id=self.group.id, direction="ingress", protocol=protocol, port_range_min=port,
                port_range_max=port)
        self.servers = {name: self.boot(name, host) for name, host in (("near", "lab1"), ("far", "lab2"))}
        self.floating = {}

    def boot(self, name, host):
        compute = self.admin.compute
        return compute.create_server(
            name=name, image_id=self.admin.image.find_image("skerry-test").id, key_name="inside",
            flavor_id=compute.find_flavor("m1.nano").id, availability_zone=f"nova:{host}",
            networks=[{"uuid": self.network.id}], security_groups=[{"name": self.group.id}],
            config_drive=True, user_data=base64.b64encode(SCRIPT.encode()).decode())

    def port(self, name):
        return next(self.admin.network.ports(device_id=self.servers[name].id))

    def inside(self, name):
        return self.port(name).fixed_ips[0]["ip_address"]

    def console(self, name):
        return {"near": self.cloud, "far": self.second}[name].console(self.servers[name].id)

    def give_floating(self, name):
        floating = self.admin.network.create_ip(floating_network_id=self.external.id, port_id=self.port(name).id)
        self.floating[name] = floating
        return floating.floating_ip_address

    def delete(self):
        network, compute = self.admin.network, self.admin.compute
        for floating in self.floating.values():
            network.delete_ip(floating)
        for server in self.servers.values():
            compute.delete_server(server)
        for server in self.servers.values():
            compute.wait_for_delete(server, wait=60)
        network.remove_interface_from_router(self.router, subnet_id=self.subnet.id)
        network.delete_router(self.router)
        network.delete_network(self.network)
        network.delete_security_group(self.group)


@pytest.fixture(scope="module")
def key(cloud, folder, admin):
    path = folder / "inside-key"
    cloud.host.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
    admin.compute.create_keypair(name="inside", public_key=path.with_suffix(".pub").read_text())
    yield path
    admin.compute.delete_keypair("inside")


@pytest.fixture(scope="module")
def tenancy(cloud, second, admin, key):
    before = [snapshot(each) for each in (cloud, second)]
    tenancy = Tenancy(cloud, second, admin)
    yield tenancy
    tenancy.delete()
    for each, old in zip((cloud, second), before):
        eventually(
            f"nothing of router and network is left on {each.host.name}",
            lambda: difference(old, snapshot(each)) == {}, 30)


def namespace(tenancy):
    """The router's namespace on lab1, as the host has it."""
    names = [line.split()[0] for line in tenancy.cloud.host.run("ip", "netns", "list").splitlines()]
    return next((name for name in names if tenancy.router.id in name), None)


def test_guests_of_both_hosts_are_served_and_reach_each_other(tenancy):
    ready = {name: wait_ready(lambda: tenancy.console(name)) for name in ("near", "far")}
    for name, line in ready.items():
        assert line.ipv4 == [tenancy.inside(name)] and line.metadata == "both"
    assert all(ipaddress.ip_address(tenancy.inside(name)) in ipaddress.ip_network(INSIDE) for name in ready)
    # Nothing is learned: each way to a guest of the other host stands in the plan.
    for each in (tenancy.cloud, tenancy.second):
        links = json.loads(each.host.run("ip", "-d", "-json", "link", "show", "type", "vxlan"))
        mine = [link for link in links if link["linkinfo"]["info_data"]["id"] == tenancy.network.provider_segmentation_id]
        assert len(mine) == 1 and not mine[0]["linkinfo"]["info_data"].get("learning")
        entries = each.host.run("bridge", "fdb", "show", "dev", mine[0]["ifname"])
        other = "10.77.0.2" if each is tenancy.cloud else "10.77.0.1"
        assert f"dst {other}" in entries


def test_a_floating_ip_leads_to_the_guest_of_the_other_host(tenancy, key):
    address = tenancy.give_floating("far")
    assert ssh(address, key, "hostname", seconds=60).strip() == "far"
    # East to west over the overlay, and out through the router with its own address.
    assert "1 packets received" in ssh(address, key, f"ping -c 1 -W 5 {tenancy.inside('near')}")
    assert "1 packets received" in ssh(address, key, f"ping -c 1 -W 5 {GATEWAY}")
    shown = tenancy.admin.network.get_ip(tenancy.floating["far"].id)
    assert shown.status == "ACTIVE" and shown.fixed_ip_address == tenancy.inside("far")
    addresses = tenancy.admin.compute.get_server(tenancy.servers["far"].id).addresses["inside"]
    assert {(each["addr"], each["OS-EXT-IPS:type"]) for each in addresses} == {
        (tenancy.inside("far"), "fixed"), (address, "floating")}


def test_a_guest_without_a_floating_ip_gets_out_with_the_routers_address(tenancy):
    # Nobody out there knows a way to the inside: an answer proves that the source was translated.
    assert tenancy.cloud.host.run("ip", "route", "get", tenancy.inside("near"), check=False) == ""
    eventually("near reached the outside", lambda: "OUTSIDE-ANSWERS" in tenancy.console("near"), 90)


def test_the_way_in_survives_both_daemons(tenancy, cloud, key):
    address = tenancy.floating["far"].floating_ip_address
    before = cloud.host.run("ip", "netns", "exec", namespace(tenancy), "iptables-save", "-t", "nat")
    cloud.kill("agent")
    assert ssh(address, key, "hostname").strip() == "far"
    cloud.kill("coordinator")
    assert ssh(address, key, "hostname").strip() == "far"
    cloud.start("agent")
    time.sleep(3)
    assert ssh(address, key, "hostname").strip() == "far"
    cloud.start("coordinator")
    eventually(
        "the API answers again", lambda: tenancy.admin.network.get_router(tenancy.router.id).status == "ACTIVE", 30)
    assert ssh(address, key, "hostname").strip() == "far"
    # Adopted, and nothing of it made anew.
    assert rules(before) == rules(cloud.host.run("ip", "netns", "exec", namespace(tenancy), "iptables-save", "-t", "nat"))


def rules(saved):
    return [line for line in saved.splitlines() if line.startswith("-A")]


def test_a_floating_ip_moves_and_goes(tenancy, key):
    network = tenancy.admin.network
    floating = tenancy.floating["far"]
    address = floating.floating_ip_address
    network.update_ip(floating, port_id=tenancy.port("near").id)
    eventually("the address leads to the other guest", lambda: ssh(address, key, "hostname").strip() == "near", 30)
    network.update_ip(floating, port_id=None)
    reach = lambda: tenancy.cloud.host.run("ping", "-c", "1", "-W", "1", address, check=False)
    eventually("nobody has the address", lambda: " 0 received" in reach(), 30)
    assert address not in tenancy.cloud.host.run("ip", "netns", "exec", namespace(tenancy), "iptables-save", "-t", "nat")


def test_a_router_that_is_down_forwards_nothing(tenancy, key):
    network = tenancy.admin.network
    network.update_ip(tenancy.floating["far"], port_id=tenancy.port("far").id)
    address = tenancy.floating["far"].floating_ip_address
    assert ssh(address, key, "hostname").strip() == "far"
    network.update_router(tenancy.router, is_admin_state_up=False)
    reach = lambda: tenancy.cloud.host.run("ping", "-c", "1", "-W", "1", address, check=False)
    eventually("nothing passes", lambda: " 0 received" in reach(), 30)
    network.update_router(tenancy.router, is_admin_state_up=True)
    assert ssh(address, key, "hostname", seconds=60).strip() == "far"
