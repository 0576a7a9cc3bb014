"""Fills a fresh cloud with what a first look needs: image, flavors, networks, keypair and one guest, over the public
APIs and with Python's standard library alone. What is already there, by name, is kept."""
import argparse
import base64
import hashlib
import http.client
import json
import ssl
import sys
import time
import urllib.parse

FLAVORS = {  # name: (MiB memory, vCPUs, GiB disk)
    "m1.nano": (96, 1, 1),
    "m1.tiny": (256, 1, 1),
    "m1.small": (2048, 1, 20),
    "m1.medium": (4096, 2, 40),
    "m1.large": (8192, 4, 80),
}
USER_DATA = "#!/bin/sh\necho \"Hello from $(hostname), the first guest of this cloud.\"\n"


class Refused(Exception):
    pass


class Session:
    """One user's token and calls. All services are on one port, below their prefixes."""

    def __init__(self, url, ca, name, password):
        parts = urllib.parse.urlsplit(url)
        self.place = (parts.hostname, parts.port)
        self.context = ssl.create_default_context(cafile=ca) if parts.scheme == "https" else None
        self.token = None
        identity = {"methods": ["password"], "password": {
            "user": {"name": name, "domain": {"id": "default"}, "password": password}}}
        scope = {"project": {"name": name, "domain": {"id": "default"}}}
        headers, _ = self.send("POST", "/identity/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}})
        self.token = headers["X-Subject-Token"]

    def send(self, method, path, body=None, kind="application/json"):
        if self.context:
            connection = http.client.HTTPSConnection(*self.place, context=self.context, timeout=120)
        else:
            connection = http.client.HTTPConnection(*self.place, timeout=120)
        headers = {"Accept": "application/json"}
        if self.token:
            headers["X-Auth-Token"] = self.token
        if body is not None:
            headers["Content-Type"] = kind
            body = json.dumps(body) if kind == "application/json" else body
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except OSError as error:
            raise Refused(f"{method} {path}: {error}")
        finally:
            connection.close()
        if answer.status >= 300:
            raise Refused(f"{method} {path}: {answer.status} {text.decode(errors='replace')[:600]}")
        return answer.headers, (json.loads(text) if text.startswith((b"{", b"[")) else None)

    def get(self, path):
        return self.send("GET", path)[1]

    def post(self, path, body):
        return self.send("POST", path, body)[1]

    def find(self, path, collection, name):
        return next((each for each in self.get(path)[collection] if each["name"] == name), None)


def note(text):
    print(f"    {text}", flush=True)


def ensure_image(admin, path):
    """Registers the image; one whose content differs from the file's is replaced."""
    with open(path, "rb") as file:
        content = file.read()
    digest = hashlib.sha512(content).hexdigest()
    known = admin.find("/image/v2/images?name=skerry-test", "images", "skerry-test")
    if known and known.get("os_hash_value") == digest:
        return known["id"]
    if known:
        admin.send("DELETE", f"/image/v2/images/{known['id']}")
    image = admin.post("/image/v2/images", {
        "name": "skerry-test", "disk_format": "qcow2", "container_format": "bare", "visibility": "public"})
    admin.send("PUT", f"/image/v2/images/{image['id']}/file", content, "application/octet-stream")
    note(f"image skerry-test: {len(content) / 1e6:.1f} MB")
    return image["id"]


def ensure_flavors(admin):
    known = {flavor["name"]: flavor["id"] for flavor in admin.get("/compute/v2.1/flavors")["flavors"]}
    for name, (memory, vcpus, disk) in FLAVORS.items():
        if name not in known:
            flavor = {"name": name, "ram": memory, "vcpus": vcpus, "disk": disk}
            known[name] = admin.post("/compute/v2.1/flavors", {"flavor": flavor})["flavor"]["id"]
    return known


def ensure_network(session, network, subnets):
    known = session.find("/network/v2.0/networks", "networks", network["name"])
    network_id = (known or session.post("/network/v2.0/networks", {"network": network})["network"])["id"]
    present = {subnet["name"] for subnet in session.get(f"/network/v2.0/subnets?network_id={network_id}")["subnets"]}
    for subnet in subnets:
        if subnet["name"] not in present:
            session.post("/network/v2.0/subnets", {"subnet": {**subnet, "network_id": network_id}})
    return network_id


def ensure_router(demo, name, external, subnet):
    """A router between the subnet and the external network."""
    router = demo.find("/network/v2.0/routers", "routers", name) or demo.post(
        "/network/v2.0/routers", {"router": {"name": name, "external_gateway_info": {"network_id": external}}})["router"]
    interfaces = demo.get(f"/network/v2.0/ports?device_id={router['id']}&device_owner=network:router_interface")["ports"]
    if subnet not in {ip["subnet_id"] for port in interfaces for ip in port["fixed_ips"]}:
        demo.send("PUT", f"/network/v2.0/routers/{router['id']}/add_router_interface", {"subnet_id": subnet})


def ensure_floating_ip(demo, server, inside, external):
    """An address of the external network that leads to the server; None for one of an earlier run that is elsewhere."""
    ports = demo.get(f"/network/v2.0/ports?device_id={server}&network_id={inside}")["ports"]
    if not ports:
        return None
    port = ports[0]["id"]
    known = demo.get(f"/network/v2.0/floatingips?port_id={port}")["floatingips"]
    floating = known[0] if known else demo.post(
        "/network/v2.0/floatingips",
        {"floatingip": {"floating_network_id": external, "port_id": port}})["floatingip"]
    return floating["floating_ip_address"]


def ensure_access(demo):
    """Lets ping and ssh reach the project's guests."""
    groups = demo.get("/network/v2.0/security-groups?name=default")["security_groups"]
    group = groups[0]
    present = {(rule["direction"], rule["ethertype"], rule["protocol"]) for rule in group["security_group_rules"]}
    wanted = [("IPv4", "icmp", None), ("IPv6", "ipv6-icmp", None), ("IPv4", "tcp", 22), ("IPv6", "tcp", 22)]
    for ethertype, protocol, port in wanted:
        if ("ingress", ethertype, protocol) not in present:
            demo.post("/network/v2.0/security-group-rules", {"security_group_rule": {
                "security_group_id": group["id"], "direction": "ingress", "ethertype": ethertype, "protocol": protocol,
                "port_range_min": port, "port_range_max": port}})


def ensure_keypair(demo, path):
    with open(path) as file:
        key = file.read().strip()
    for entry in demo.get("/compute/v2.1/os-keypairs")["keypairs"]:
        if entry["keypair"]["name"] == "demo":
            if entry["keypair"]["public_key"].strip() == key:
                return
            demo.send("DELETE", "/compute/v2.1/os-keypairs/demo")
    demo.post("/compute/v2.1/os-keypairs", {"keypair": {"name": "demo", "public_key": key}})


def boot(demo, image, flavor, network):
    known = demo.find("/compute/v2.1/servers", "servers", "first-guest")
    server = known or demo.post("/compute/v2.1/servers", {"server": {
        "name": "first-guest", "imageRef": image, "flavorRef": flavor, "networks": [{"uuid": network}],
        "key_name": "demo", "config_drive": True,
        "user_data": base64.b64encode(USER_DATA.encode()).decode()}})["server"]
    path = f"/compute/v2.1/servers/{server['id']}"
    began, said, status = time.monotonic(), "", ""
    while time.monotonic() - began < 240:
        shown = demo.get(path)["server"]
        status = shown["status"]
        if status == "ERROR":
            raise Refused(f"first-guest did not start: {shown.get('fault', {}).get('message', 'no reason given')}")
        if status == "SHUTOFF" and shown.get("OS-EXT-STS:task_state") is None:
            demo.post(path + "/action", {"os-start": None})
        console = ""
        if status == "ACTIVE":
            console = demo.post(path + "/action", {"os-getConsoleOutput": {"length": 60}})["output"]
            if "SKERRY-GUEST-READY" in console:
                note(f"first-guest: ready after {time.monotonic() - began:.0f} s")
                return server["id"], console
        state = f"{status}, {shown.get('OS-EXT-STS:task_state') or 'booting'}"
        if state != said:
            note(f"first-guest: {state} ({time.monotonic() - began:.0f} s)")
            said = state
        time.sleep(0.5)
    raise Refused(f"first-guest is {status} but printed no ready line in 240 s: see its console")


def main():
    parser = argparse.ArgumentParser()
    for name in ("url", "ca", "admin-password-file", "demo-password-file", "image", "key"):
        parser.add_argument("--" + name, required=True)
    arguments = parser.parse_args()
    admin = Session(arguments.url, arguments.ca, "admin", open(arguments.admin_password_file).readline().strip())
    demo = Session(arguments.url, arguments.ca, "demo", open(arguments.demo_password_file).readline().strip())
    image = ensure_image(admin, arguments.image)
    flavors = ensure_flavors(admin)
    note("flavors: " + ", ".join(FLAVORS))
    external = ensure_network(
        admin,
        {"name": "external", "router:external": True, "shared": True, "provider:network_type": "flat",
         "provider:physical_network": "external"},
        [{"name": "external-v4", "ip_version": 4, "cidr": "172.24.4.0/24", "gateway_ip": "172.24.4.1",
          "allocation_pools": [{"start": "172.24.4.10", "end": "172.24.4.250"}]},
         {"name": "external-v6", "ip_version": 6, "cidr": "2001:db8:113::/64", "gateway_ip": "2001:db8:113::1",
          "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}])
    inside = ensure_network(
        demo, {"name": "demo-net"}, [{"name": "demo-subnet", "ip_version": 4, "cidr": "192.168.42.0/24"}])
    subnet = demo.find(f"/network/v2.0/subnets?network_id={inside}", "subnets", "demo-subnet")["id"]
    ensure_router(demo, "demo-router", external, subnet)
    ensure_access(demo)
    ensure_keypair(demo, arguments.key + ".pub")
    note("networks: external (172.24.4.0/24, 2001:db8:113::/64), demo-net (192.168.42.0/24) behind demo-router; "
         "keypair: demo")
    server, console = boot(demo, image, flavors["m1.nano"], inside)
    address = ensure_floating_ip(demo, server, inside, external)
    print("---- console of first-guest " + "-" * 60)
    print(console.rstrip())
    print("-" * 88)
    if address:
        note(f"first-guest has the floating IP {address}:")
        print(f"  ssh -i {arguments.key} root@{address}")


if __name__ == "__main__":
    try:
        main()
    except Refused as error:
        sys.exit(f"error: {error}")
