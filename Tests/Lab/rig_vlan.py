"""What test_vlan.py runs in the kernel rig: two lab hosts with a trunk between them, a cloud over both, and a VLAN
provider network with a guest on each host. It writes down what the kernels, the wire and the guests showed, as JSON."""
import base64
import json
import os
import pathlib
import shutil
import tempfile
import time

from conftest import agent_changes, write_configuration
from skerrylab.cloud import GUEST_IMAGE, Cloud, binaries
from skerrylab.frames import Capture, broadcast, open_socket
from skerrylab.guest import wait_ready
from skerrylab.host import LabHost, cable
from skerrylab.leftovers import difference, snapshot
from skerrylab.waiting import eventually

TAG, OTHER_TAG = 123, 124
# Seconds. What takes one on a machine may take twenty in a rig that shares it with other tests.
PATIENCE = 300
TRUNK, DEVICE = "trunk0", f"trunk0.{TAG}"
PROBE_KIND, PROBE_SOURCE = 0x88B5, "02:00:00:00:00:01"
PING = "#!/bin/sh\nfor try in $(seq 60); do ping -c 1 -W 1 10.123.0.11 >/dev/null && echo PEER-ANSWERS && exit; done\n"


def say(text):
    print(f"[{time.monotonic():6.1f}] {text}", flush=True)


def make_hosts():
    """`link0` carries management, `trunk0` is the physical network `lab`."""
    hosts = LabHost("lab1"), LabHost("lab2")
    for name in ("link0", TRUNK):
        cable(hosts[0], name, hosts[1], name)
    for number, host in enumerate(hosts, 1):
        host.run("ip", "addr", "add", f"10.77.0.{number}/24", "dev", "link0")
    return hosts


def lay_out(cloud):
    """The programs are linked to, not copied: the rig's files are in its memory. All is waited for with more patience
    than on a machine, and asked for less often: one start of virsh takes a second here."""
    cloud.packaging("wait_for() { true; }; layout_create; libvirt_start")
    for program in ("skerry-coordinator", "skerry-agent", "skerry"):
        (cloud.prefix / "bin" / program).symlink_to(f"{binaries()}/{program}")
    uri = f"qemu+unix:///system?socket={cloud.prefix}/libvirt/run/libvirt-sock"
    eventually("libvirtd answers", lambda: cloud.host.succeeds("virsh", "-c", uri, "uri"), PATIENCE, every=2)
    say(f"{cloud.host.name} has libvirt")


def make_cloud(hosts, folder):
    first, second = clouds = [Cloud(host, folder / host.name) for host in hosts]
    for cloud, coordinator in zip(clouds, ("127.0.0.1", "10.77.0.1")):
        write_configuration(
            "agent.yaml", cloud.prefix,
            agent_changes(cloud.prefix, cloud.host.name, f"lab: {TRUNK}", coordinator))
    write_configuration("coordinator.yaml", first.prefix, {
        "state_directory:": f"state_directory: {first.prefix}/state/coordinator",
        "socket:": f"socket: {first.prefix}/run/coordinator.sock",
        "  names:": '  names: ["10.77.0.1"]',
    })
    lay_out(first)
    first.packaging("configure; daemon_start coordinator")
    eventually("the coordinator answers", lambda: first.packaging("coordinator_answers || true"), PATIENCE, every=2)
    start_agent(first, first, "127.0.0.1")
    # What libvirt found out about QEMU, which takes long here, holds for both hosts.
    shutil.copytree(first.prefix / "libvirt" / "cache", second.prefix / "libvirt" / "cache")
    lay_out(second)
    start_agent(first, second, "10.77.0.1")
    return clouds


def start_agent(first, cloud, coordinator):
    """Joins with a token from the first host."""
    token = first.packaging('"$bin_dir/skerry" node token --socket "$operator_socket"').strip()
    cloud.packaging(
        f'"$bin_dir/skerry-agent" join --config "$agent_config" --coordinator {coordinator}:8701 --token {token}')
    cloud.start("agent")
    name = cloud.host.name
    eventually(f"{name} is up", lambda: is_up(first, name), PATIENCE, every=2)
    say(f"{name} is up")


def is_up(cloud, name):
    nodes = cloud.packaging('"$bin_dir/skerry" node list --socket "$operator_socket"').splitlines()
    return any(name in line and " up " in f"{line} " for line in nodes)


def boot(admin, image, network, host, address, script=None):
    data = base64.b64encode(script.encode()).decode() if script else None
    return admin.compute.create_server(
        name=f"on-{host}", image_id=image.id, flavor_id=admin.compute.find_flavor("rig").id,
        availability_zone=f"nova:{host}", networks=[{"uuid": network.id, "fixed_ip": address}], config_drive=True,
        **({"user_data": data} if data else {}))


def wait_active(admin, server):
    """Returns its host."""
    def settled():
        now = admin.compute.get_server(server)
        return now if now.status != "BUILD" else None

    now = eventually(f"{server.name} is built", settled, PATIENCE, every=1)
    assert now.status == "ACTIVE", f"{server.name} is {now.status}: {now.fault}"
    return now.hypervisor_hostname


def links(host):
    """Name -> the kernel's own description of the link."""
    return {link["ifname"]: link for link in json.loads(host.run("ip", "-details", "-json", "link", "show"))}


def everything(cloud):
    return {**snapshot(cloud), "links": set(links(cloud.host))}


def describe(host, network):
    """The VLAN device, where its frames go, and who is in its bridge."""
    found = links(host)
    bridge = f"brq{network.id[:11]}"
    device = found.get(DEVICE, {})
    return {
        "device": {
            "kind": device.get("linkinfo", {}).get("info_kind"), "parent": device.get("link"),
            "id": device.get("linkinfo", {}).get("info_data", {}).get("id"),
            "protocol": device.get("linkinfo", {}).get("info_data", {}).get("protocol"),
            "bridge": device.get("master"), "is up": "UP" in device.get("flags", [])},
        "expected bridge": bridge,
        "trunk's bridge": found[TRUNK].get("master"),
        "members": sorted(name[:3] for name, link in found.items() if link.get("master") == bridge),
        "indices": {name: found[name]["ifindex"] for name in (DEVICE, bridge) if name in found},
    }


def tap(host, network):
    name, = (name for name, link in links(host).items()
             if name.startswith("tap") and link.get("master") == f"brq{network.id[:11]}")
    return name


def probe(hosts, network):
    """Sends broadcasts with different tags into the trunk; returns which of them reach the guest on the other host."""
    capture = Capture(hosts[1], tap(hosts[1], network))
    sender = open_socket(hosts[0], TRUNK)
    for tag in (None, OTHER_TAG, TAG):
        sender.send(broadcast(PROBE_SOURCE, PROBE_KIND, f"tag {tag}".encode(), tag))
    sender.close()
    time.sleep(2)
    return sorted(frame.payload.rstrip(b"\0").decode() for frame in capture.stop() if frame.kind == PROBE_KIND)


def traffic(frames, macs):
    """The guests' own frames on the trunk."""
    ours = [frame for frame in frames if frame.source in macs]
    return {
        "tags": sorted({str(frame.tag) for frame in ours}),
        "senders": sorted({frame.source for frame in ours}),
        "pings": sum(frame.icmp_type() == 8 for frame in ours),
        "answers": sum(frame.icmp_type() == 0 for frame in ours),
    }


def restart_agent(cloud):
    """Returns how the host's links are numbered before and after: a new agent must keep all of them."""
    numbers = lambda: {name: link["ifindex"] for name, link in links(cloud.host).items()}
    before = numbers()
    cloud.stop("agent")
    log = len(cloud.log("agent"))
    cloud.start("agent")
    eventually(
        "the new agent has been through all links", lambda: "network is ready" in cloud.log("agent")[log:], PATIENCE)
    return {"before": before, "after": numbers()}


def show_logs(folder):
    for path in sorted(folder.glob("*/log/*.log")):
        print(f"---- {path.relative_to(folder)}\n{path.read_text(errors='replace')[-8000:]}", flush=True)


def main(folder):
    hosts = make_hosts()
    say("hosts are there")
    hosts[0].enter_network()
    clouds = make_cloud(hosts, folder)
    admin = clouds[0].sdk("skerry")
    image = admin.create_image(
        "guest", filename=str(GUEST_IMAGE), disk_format="qcow2", container_format="bare", wait=True, timeout=PATIENCE)
    admin.compute.create_flavor(name="rig", ram=96, vcpus=1, disk=1)
    say("image and flavor are there")
    before = [everything(cloud) for cloud in clouds]
    capture = Capture(hosts[0], TRUNK)

    network = admin.network.create_network(
        name="vlan", provider_network_type="vlan", provider_physical_network="lab", provider_segmentation_id=TAG)
    subnet = admin.network.create_subnet(
        network_id=network.id, ip_version=4, cidr="10.123.0.0/24", gateway_ip=None, name="vlan")
    servers = [
        boot(admin, image, network, "lab1", "10.123.0.11"), boot(admin, image, network, "lab2", "10.123.0.12", PING)]
    facts = {"hosts": [wait_active(admin, server) for server in servers]}
    say("guests are ACTIVE")
    facts["links"] = [describe(host, network) for host in hosts]
    consoles = [lambda cloud=cloud, server=server: cloud.console(server.id) for cloud, server in zip(clouds, servers)]
    facts["addresses"] = [wait_ready(console, seconds=2 * PATIENCE).ipv4 for console in consoles]
    say("guests are ready")
    facts["ping"] = "PEER-ANSWERS" in consoles[1]()
    facts["probes"] = probe(hosts, network)
    facts["restart"] = restart_agent(clouds[1])
    facts["macs"] = sorted(port.mac_address for port in admin.network.ports(network_id=network.id)
                           if port.device_id in {server.id for server in servers})
    facts["traffic"] = traffic(capture.stop(), facts["macs"])
    say("frames are captured")

    for server in servers:
        admin.compute.delete_server(server)
    for server in servers:
        admin.compute.wait_for_delete(server, wait=PATIENCE)
    admin.network.delete_subnet(subnet)
    admin.network.delete_network(network)
    say("all is deleted")
    left = lambda: [difference(old, everything(cloud)) for cloud, old in zip(clouds, before)]
    deadline = time.monotonic() + PATIENCE
    while any(found := left()) and time.monotonic() < deadline:
        say(f"still there: {found}")
        time.sleep(2)
    facts["left over"] = found
    pathlib.Path(os.environ["RIG_RESULT"]).write_text(json.dumps(facts))
    say("done")


if __name__ == "__main__":
    place = pathlib.Path(tempfile.mkdtemp(prefix="skerry-lab-", dir="/tmp"))
    place.chmod(0o755)
    try:
        main(place)
    except BaseException:
        show_logs(place)
        raise
