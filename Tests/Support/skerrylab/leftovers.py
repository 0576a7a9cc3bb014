"""Everything that servers and networks may leave on a host, read from the host itself and not from Skerry."""
import json
import re

OUR_CHAIN = re.compile(r"^:((?:skerry|sk)-\S+)", re.MULTILINE)


def snapshot(cloud):
    """What is there, as sets of names by kind. Two snapshots are compared with `difference`."""
    host = cloud.host
    run = lambda *command: host.run(*command, check=False)
    links = json.loads(run("ip", "-json", "link", "show") or "[]")
    names = [link["ifname"] for link in links]
    rules = {
        f"{table} {line}" for table in ("iptables", "ip6tables", "ebtables")
        for line in run(f"{table}-save").splitlines()
        if line.startswith("-A") and re.search(r"\b(skerry|sk)-", line)}
    chains = {
        f"{table} {chain}" for table in ("iptables", "ip6tables", "ebtables")
        for chain in OUR_CHAIN.findall(run(f"{table}-save"))}
    instances = cloud.state / "agent" / "instances"
    volumes = cloud.state / "agent" / "volumes"
    dhcp = cloud.state / "agent" / "dhcp"
    return {
        "domains": set(cloud.virsh("list", "--all", "--name").split()),
        "qemu processes": set(run("pgrep", "-f", "^/usr/bin/qemu-system").split()),
        "taps": {name for name in names if name.startswith("tap")},
        "bridges": {name for name in names if name.startswith("brq")},
        "service links": {name for name in names if name.startswith(("sdh", "skv", "skerry-draft"))},
        "namespaces": {line.split()[0] for line in run("ip", "netns", "list").splitlines()},
        "dnsmasq": set(run("pgrep", "-x", "dnsmasq").split()),
        "rules": rules,
        "chains": chains,
        "ipsets": set(run("ipset", "list", "-name").split()),
        "disk files": {str(path) for path in instances.rglob("*")} if instances.is_dir() else set(),
        "volume files": {str(path) for path in volumes.rglob("*")} if volumes.is_dir() else set(),
        "dhcp files": {path.name for path in dhcp.iterdir()} if dhcp.is_dir() else set(),
    }


def allocations(admin):
    """Consumers with claims, over all providers, from the Placement API."""
    consumers = set()
    for provider in admin.placement.get("/resource_providers").json()["resource_providers"]:
        answer = admin.placement.get(f"/resource_providers/{provider['uuid']}/allocations").json()
        consumers |= set(answer["allocations"])
    return consumers


def difference(before, after):
    """What is in one snapshot and not in the other; empty when nothing was left over and nothing was lost."""
    found = {}
    for kind in before:
        extra, missing = after[kind] - before[kind], before[kind] - after[kind]
        if extra or missing:
            found[kind] = {"left over": sorted(extra), "missing": sorted(missing)}
    return found
