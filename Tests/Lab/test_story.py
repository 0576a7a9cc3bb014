"""The whole story with the unmodified `openstack` command: from a token to a guest one can log in to, and back."""
import hashlib
import json

import pytest

from skerrylab.cloud import GUEST_IMAGE
from skerrylab.guest import ssh, wait_ready
from skerrylab.waiting import eventually

USER_DATA = "#!/bin/sh\necho STORY-USER-DATA on $(hostname)\n"


@pytest.fixture
def run(cloud):
    return lambda *arguments, **options: cloud.openstack(*arguments, **options)


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


def test_a_guest_from_first_to_last(cloud, run, folder, clean):
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
