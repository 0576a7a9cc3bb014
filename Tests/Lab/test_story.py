"""The whole story with the unmodified `openstack` command: from a token to a guest one can log in to, and back."""
import hashlib
import json
import re

import pytest

from skerrylab.cloud import GUEST_IMAGE
from skerrylab.guest import ssh, wait_ready
from skerrylab.waiting import eventually

FOREIGN = "5ca1ab1e-0000-4000-8000-00000000f0e1"
# Named as ours are, with nothing of Skerry's in it.
FOREIGN_DOMAIN = f"""
<domain type='qemu'><name>instance-0000f0e1</name><uuid>{FOREIGN}</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
"""
USER_DATA = "#!/bin/sh\necho STORY-USER-DATA on $(hostname)\n"


@pytest.fixture
def run(cloud):
    return lambda *arguments, **options: cloud.openstack(*arguments, **options)


@pytest.fixture(scope="module", autouse=True)
def foreign(cloud, folder):
    """A domain that somebody else made on this libvirt, while all of this happens: what it is, and its process."""
    file = folder / "foreign.xml"
    file.write_text(FOREIGN_DOMAIN)
    cloud.virsh("define", file)
    cloud.virsh("start", FOREIGN)
    yield view_foreign(cloud)
    cloud.virsh("destroy", FOREIGN)
    cloud.virsh("undefine", FOREIGN)


def view_foreign(cloud):
    return cloud.virsh("dumpxml", FOREIGN), cloud.virsh("dumpxml", "--inactive", FOREIGN), cloud.qemu_pid(FOREIGN)


def show(run, name):
    return run("server", "show", name, "-f", "json")


def reach(run, name, status):
    eventually(f"{name} is {status}", lambda: show(run, name)["status"] == status, 90, every=0.5)


def test_identity(run):
    token = run("token", "issue", "-f", "json")
    assert token["id"] and token["project_id"] and token["user_id"]
    catalog = {entry["Type"] for entry in run("catalog", "list", "-f", "json")}
    assert {"identity", "image", "compute", "network", "placement"} <= catalog


def test_an_image_comes_back_byte_for_byte(cloud, run, folder):
    built = GUEST_IMAGE
    run("image", "create", "story", "--file", built, "--disk-format", "qcow2", "--container-format", "bare", cloud="skerry")
    try:
        run("image", "save", "--file", folder / "saved.qcow2", "story", cloud="skerry")
        assert (folder / "saved.qcow2").read_bytes() == built.read_bytes()
        shown = run("image", "show", "story", "-f", "json", cloud="skerry")
        assert shown["checksum"] == hashlib.md5(built.read_bytes()).hexdigest()
    finally:
        run("image", "delete", "story", cloud="skerry")


def test_a_guest_from_first_to_last(cloud, demo, run, folder, clean):
    story_key = folder / "story-key"
    cloud.host.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", story_key)
    (folder / "user-data").write_text(USER_DATA)
    run("flavor", "create", "story", "--ram", 96, "--vcpus", 1, "--disk", 1, cloud="skerry")
    run("keypair", "create", "story", "--public-key", f"{story_key}.pub")
    run("network", "create", "story")
    run("subnet", "create", "story", "--network", "story", "--subnet-range", "10.55.0.0/24")
    run("port", "create", "story", "--network", "story", "--fixed-ip", "ip-address=10.55.0.77")
    server = run(
        "server", "create", "story", "--image", "skerry-test", "--flavor", "story", "--key-name", "story",
        "--network", "external", "--port", "story", "--config-drive", "true", "--user-data", folder / "user-data",
        "--wait", "-f", "json")
    assert server["status"] == "ACTIVE"
    console = lambda: run("console", "log", "show", "story")
    ready = wait_ready(console)
    addresses = show(run, "story")["addresses"]
    expected = {address for each in addresses.values() for address in each}
    assert set(ready.ipv4) == {address for address in expected if ":" not in address}
    assert "10.55.0.77" in ready.ipv4
    assert (ready.hostname, ready.metadata) == ("story", "both")
    assert "STORY-USER-DATA on story" in console()
    outside = next(address for address in addresses["external"] if "." in address)
    assert ssh(outside, story_key, "hostname").strip() == "story"
    # A router's advertisement may come after the ready line on a busy machine: the guest itself says what it has.
    eventually(
        "the guest has the IPv6 addresses that the API reports",
        lambda: {address for address in expected if ":" in address} == addresses6(outside, story_key), 30)
    assert ssh(outside, story_key, "hostname", user="skerry").strip() == "story"

    power_cycle(cloud, run, server["id"], outside, story_key)
    disabled_port(cloud, demo, "story")

    run("server", "delete", "--wait", "story")
    run("port", "delete", "story")
    run("network", "delete", "story")
    run("keypair", "delete", "story")
    run("flavor", "delete", "story", cloud="skerry")


def addresses6(outside, key):
    lines = ssh(outside, key, "ip -6 addr show scope global").splitlines()
    return {line.split()[1].split("/")[0] for line in lines if "inet6" in line}


def power_cycle(cloud, run, server_id, address, key):
    uptime = lambda: float(ssh(address, key, "cat /proc/uptime", seconds=90).split()[0])
    boots = 1
    for kind in ("--soft", "--hard"):
        run("server", "reboot", kind, "--wait", "story")
        boots += 1
        wait_ready(lambda: cloud.console(server_id), boots)
        assert uptime() < 60

    run("server", "stop", "story")
    reach(run, "story", "SHUTOFF")
    assert cloud.qemu_pid(server_id) is None
    run("server", "start", "story")
    reach(run, "story", "ACTIVE")
    boots += 1
    wait_ready(lambda: cloud.console(server_id), boots)

    before = cloud.qemu_pid(server_id)
    run("server", "pause", "story")
    reach(run, "story", "PAUSED")
    run("server", "unpause", "story")
    reach(run, "story", "ACTIVE")
    assert cloud.qemu_pid(server_id) == before
    run("server", "suspend", "story")
    reach(run, "story", "SUSPENDED")
    assert cloud.qemu_pid(server_id) is None
    run("server", "resume", "story")
    reach(run, "story", "ACTIVE")
    assert ssh(address, key, "hostname").strip() == "story"
    assert "SKERRY-GUEST-READY" in run("console", "log", "show", "--lines", "20", "story") + cloud.console(server_id)
    events = [event["Action"] for event in run("server", "event", "list", "story", "-f", "json")]
    assert {"create", "reboot", "stop", "start", "pause", "unpause", "suspend", "resume"} <= set(events), json.dumps(events)


def disabled_port(cloud, demo, name):
    """A port that is down by order of its owner takes the guest's tap down."""
    port = demo.network.find_port(name)
    show_tap = lambda: json.loads(cloud.host.run("ip", "-json", "link", "show", f"tap{port.id[:11]}"))
    is_up = lambda: "UP" in show_tap()[0]["flags"]
    assert is_up()
    for wanted in (False, True):
        demo.network.update_port(port, admin_state_up=wanted)
        eventually(f"the tap is {'up' if wanted else 'down'}", lambda: is_up() == wanted, 20)


def test_a_server_that_fits_nowhere_says_what_is_short(admin, demo, run, clean):
    project = demo.current_project_id
    admin.compute.update_quota_set(project, ram=-1)
    flavor = admin.compute.create_flavor(name="huge", ram=1 << 23, vcpus=1, disk=1)
    try:
        run("server", "create", "huge", "--image", "skerry-test", "--flavor", "huge", "--network", "external")
        reach(run, "huge", "ERROR")
        fault = show(run, "huge")["fault"]
        assert re.search(r"1 host: 1 short of memory \(need 8388608 MiB, has \d+\)", fault["message"]), fault
        run("server", "delete", "--wait", "huge")
    finally:
        admin.compute.delete_flavor(flavor)
        admin.compute.revert_quota_set(project)


def test_the_operator_learns_why_and_how_a_server_came_about(cloud, witness):
    explained = cloud.skerry("explain", "server", witness.id)
    assert re.search(r"scheduling: lab1  1 host: 1 suitable, chose lab1", explained), explained
    assert re.search(r"kept +lab1: weight [\d.]+: free memory", explained), explained
    steps = re.findall(r"^ +\d{4}-\S+  (\S+)  [\d.]+ \S+  ", explained, re.MULTILINE)
    assert "start-domain" in steps or {"start-domain-paused", "resume-domain"} <= set(steps), explained

    events = [json.loads(line) for line in cloud.skerry("audit").splitlines()]
    (created,) = (
        event for event in events
        if event["target"] == {"id": witness.id, "typeURI": "compute/server"} and event["action"] == "create")
    assert created["outcome"] == "success" and created["initiator"]["name"] == "demo"


def test_a_domain_that_is_not_ours_is_never_touched(cloud, foreign):
    assert view_foreign(cloud) == foreign
    cloud.kill("agent")
    cloud.start("agent")
    # It does not count the other one.
    eventually(
        "the agent looks after its guest again", lambda: cloud.metrics("agent")["skerry_agent_running_guests"] == 1, 20,
        tolerate=OSError)
    eventually("the agent is connected", lambda: cloud.metrics("agent")["skerry_agent_connected"] == 1, 20)
    assert view_foreign(cloud) == foreign
