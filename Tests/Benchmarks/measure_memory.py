"""Memory of both daemons: at rest after the start, with two guests, and after thousands of calls to every service. The
baseline is an idle Python interpreter; programs of another build, in the folder that SKERRY_BEFORE names, are measured
in the same run.
"""
import contextlib
import os
import subprocess
import sys
import time

from cloud import Cloud, cpu_seconds, memory_kib

# So long after a burst it must have given back what it took: the daemons give back every minute.
SETTLED = 75
ROUNDS = 30


def measure():
    python = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100000)"])
    try:
        time.sleep(2)
        base = memory_kib(python.pid)["proportional"]
        before = os.environ.get("SKERRY_BEFORE")
        for label, folder in (("before: ", before), ("", None)) if before else (("", None),):
            with programs_of(folder), Cloud() as cloud:
                for row in stages(cloud, base):
                    yield {**row, "what": label + row["what"]}
    finally:
        python.kill()
        python.wait()


@contextlib.contextmanager
def programs_of(folder):
    usual = os.environ.get("SKERRY_BINARIES")
    if folder:
        os.environ["SKERRY_BINARIES"] = folder
    try:
        yield
    finally:
        if folder:
            os.environ.pop("SKERRY_BINARIES")
            if usual:
                os.environ["SKERRY_BINARIES"] = usual


def stages(cloud, base):
    time.sleep(10)
    yield from rows(cloud, "at idle", base)
    cloud.seed()
    for _ in range(2):
        active(cloud.admin, cloud.server_body)
    time.sleep(SETTLED)
    yield from rows(cloud, "with two guests", base)
    for number in range(1, 4):
        # The connection was idle for longer than the coordinator keeps one.
        cloud.admin = cloud.log_in()
        calls = sum(round_of_calls(cloud, f"{number}-{index}") for index in range(ROUNDS))
        time.sleep(SETTLED)
        yield from rows(cloud, f"after {number} times {calls} calls", base)


def rows(cloud, when, base):
    """Each daemon, and both."""
    total = {}
    for name, process in (("coordinator", cloud.coordinator), ("agent (simulated)", cloud.agent)):
        start = cpu_seconds(process)
        time.sleep(5)
        busy = (cpu_seconds(process) - start) / 5 * 100
        memory = memory_kib(process.pid)
        yield row(f"{name} {when}", memory, base, cpu_percent=busy)
        for kind, value in memory.items():
            total[kind] = total.get(kind, 0) + value
    yield row(f"both {when}", total, base)


def row(what, memory, base, **more):
    return {"what": what, **{f"{kind}_mib": value / 1024 for kind, value in memory.items()}, **more,
            "ratio_to_python": memory["proportional"] / base}


def active(client, body):
    server = client.call("POST", "/compute/v2.1/servers", body)["server"]["id"]
    for _ in range(6000):
        status = client.call("GET", f"/compute/v2.1/servers/{server}")["server"]["status"]
        if status == "ACTIVE":
            return server
        if status == "ERROR":
            break
        time.sleep(0.01)
    raise RuntimeError(f"server {server} is {status}")


class Counting:
    """A client that knows how many calls it made."""

    def __init__(self, client):
        self.client, self.calls = client, 0

    def call(self, *arguments):
        self.calls += 1
        return self.client.call(*arguments)


def round_of_calls(cloud, name):
    """What a conformance test does: things of every service made, listed in several ways, and removed. How many calls."""
    admin = Counting(cloud.admin)
    project = admin.call("POST", "/identity/v3/projects", {"project": {"name": f"p-{name}"}})["project"]["id"]
    user = admin.call("POST", "/identity/v3/users", {"user": {
        "name": f"u-{name}", "password": name, "default_project_id": project}})["user"]["id"]
    roles = {role["name"]: role["id"] for role in admin.call("GET", "/identity/v3/roles")["roles"]}
    admin.call("PUT", f"/identity/v3/projects/{project}/users/{user}/roles/{roles['member']}")
    member = Counting(cloud.client())
    member.client.log_in(f"u-{name}", name, f"p-{name}")
    image = member.call("POST", "/image/v2/images", {
        "name": name, "disk_format": "raw", "container_format": "bare", "tags": [name]})["id"]
    member.call("PUT", f"/image/v2/images/{image}/file", b"\1" * (256 << 10))
    network = member.call("POST", "/network/v2.0/networks", {"network": {"name": name}})["network"]["id"]
    member.call("POST", "/network/v2.0/subnets", {"subnet": {
        "network_id": network, "ip_version": 4, "cidr": "10.1.0.0/24"}})
    group = member.call("POST", "/network/v2.0/security-groups", {"security_group": {
        "name": name}})["security_group"]["id"]
    member.call("POST", "/network/v2.0/security-group-rules", {"security_group_rule": {
        "security_group_id": group, "direction": "ingress", "protocol": "tcp", "port_range_min": 22,
        "port_range_max": 22}})
    flavor = admin.call("POST", "/compute/v2.1/flavors", {"flavor": {
        "name": name, "ram": 64, "vcpus": 1, "disk": 1}})["flavor"]["id"]
    server = active(member, {"server": {
        "name": name, "imageRef": image, "flavorRef": flavor, "networks": [{"uuid": network}],
        "metadata": {"round": name}}})
    for path in LISTS:
        path = path.format(user=user, name=name)
        for client in (admin,) if path.startswith("/identity") else (admin, member):
            client.call("GET", path)
    member.call("DELETE", f"/compute/v2.1/servers/{server}")
    for _ in range(6000):
        if not member.call("GET", "/compute/v2.1/servers")["servers"]:
            break
        time.sleep(0.01)
    for client, path in (
            (member, f"/image/v2/images/{image}"), (admin, f"/compute/v2.1/flavors/{flavor}"),
            (member, f"/network/v2.0/security-groups/{group}"), (member, f"/network/v2.0/networks/{network}"),
            (admin, f"/identity/v3/users/{user}"), (admin, f"/identity/v3/projects/{project}")):
        client.call("DELETE", path)
    return admin.calls + member.calls


LISTS = [
    "/identity/v3/users?name={name}", "/identity/v3/projects?parent_id=default", "/identity/v3/users/{user}/projects",
    "/identity/v3/role_assignments?user.id={user}&effective", "/identity/v3/services", "/identity/v3/endpoints",
    "/image/v2/images?sort=name:asc,created_at:desc&limit=5", "/image/v2/images?tag={name}&visibility=private",
    "/image/v2/images?size_min=1&status=active", "/image/v2/schemas/image",
    "/network/v2.0/networks?name={name}&fields=id", "/network/v2.0/ports?sort_key=name&sort_dir=desc",
    "/network/v2.0/subnets?ip_version=4", "/network/v2.0/security-groups?name=default",
    "/compute/v2.1/servers/detail?status=ACTIVE&sort_key=display_name", "/compute/v2.1/servers?name={name}&limit=3",
    "/compute/v2.1/flavors/detail?minRam=1", "/compute/v2.1/limits",
]
