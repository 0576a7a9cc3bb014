"""With the coordinator stopped, a host stays useful."""
import re

import pytest

from skerrylab.guest import ssh, wait_ready
from skerrylab.waiting import eventually


@pytest.fixture
def coordinator_stopped(cloud):
    cloud.stop("coordinator")
    yield
    if cloud.pid("coordinator") is None:
        cloud.start("coordinator")


def address_of(demo, name):
    server = demo.compute.get_server(demo.compute.find_server(name).id)
    entries = [entry for network in server.addresses.values() for entry in network]
    return {entry["OS-EXT-IPS:type"]: entry["addr"] for entry in entries if entry["version"] == 4}


def test_guests_reboot_and_the_agent_adopts_them_without_a_coordinator(cloud, demo, key, clean, witness, request):
    addresses = address_of(demo, "first-guest")
    address = addresses["floating"]
    console = lambda: cloud.console(witness.id)
    request.getfixturevalue("coordinator_stopped")

    boots = len(re.findall("SKERRY-GUEST-READY", console()))
    ssh(address, key, "reboot")
    ready = wait_ready(console, boots + 1)
    assert addresses["fixed"] in ready.ipv4 and ready.metadata == "both" and ready.hostname == "first-guest"

    pid = cloud.qemu_pid(witness.id)
    guests = len(cloud.virsh("list", "--name").split())
    cloud.kill("agent")
    cloud.start("agent")
    says = lambda name: cloud.metrics("agent")[f"skerry_agent_{name}"]
    eventually("the agent looks after the guest again", lambda: says("running_guests") == guests, 20, tolerate=OSError)
    assert says("connected") == 0
    ssh(address, key, "reboot", seconds=60)
    ready = wait_ready(console, boots + 2)
    assert addresses["fixed"] in ready.ipv4 and ready.metadata == "both"
    assert cloud.qemu_pid(witness.id) == pid

    cloud.start("coordinator")
    assert demo.compute.get_server(witness.id).status == "ACTIVE"
    eventually(
        "the agent is connected", lambda: cloud.metrics("coordinator")["skerry_agents_connected"] == 1, 20)
    eventually("the agent knows it", lambda: says("connected") == 1, 20)
