"""A VLAN provider network over two hosts, on a kernel that has 802.1Q: the kernel rig's."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

from skerrylab.cloud import GUEST_IMAGE, PACKAGING, REPOSITORY, binaries
from skerrylab.uml import run_in_rig

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def facts():
    """What rig_vlan.py saw."""
    subprocess.run([PACKAGING / "guest-image", "--output", GUEST_IMAGE], check=True)
    programs = os.path.realpath(binaries())
    ended = run_in_rig(
        [sys.executable, HERE / "rig_vlan.py"], seconds=1500, memory_mib=1536, keep=[REPOSITORY, sys.prefix, programs],
        environment={
            "SKERRY_BINARIES": programs, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)]),
            "PYTHONDONTWRITEBYTECODE": "1"})
    print(ended.console)
    return json.loads(ended.check())


def test_the_rig_tells_how_a_command_ended():
    ended = run_in_rig(["sh", "-c", "echo fine >$RIG_RESULT; exit 7"], seconds=60)
    assert (ended.status, ended.result) == (7, "fine\n")


def test_the_rig_is_bounded_in_time():
    ended = run_in_rig(["sleep", "1000"], seconds=8)
    assert ended.status is None and "not done within 8 s" in ended.console


def test_each_host_has_the_vlan_device_in_the_networks_bridge(facts):
    assert facts["hosts"] == ["lab1", "lab2"]
    for links in facts["links"]:
        bridge = links["expected bridge"]
        assert links["device"] == {
            "kind": "vlan", "parent": "trunk0", "id": 123, "protocol": "802.1Q", "bridge": bridge, "is up": True}
        assert links["trunk's bridge"] is None
        # The service link, the guest's tap, the VLAN device: nothing else.
        assert links["members"] == ["sdh", "tap", "tru"]


def test_guests_get_their_addresses_and_reach_each_other(facts):
    assert facts["addresses"] == [["10.123.0.11"], ["10.123.0.12"]]
    assert facts["ping"]


def test_what_guests_send_is_tagged_on_the_wire(facts):
    traffic = facts["traffic"]
    assert traffic["tags"] == ["123"]
    assert traffic["senders"] == facts["macs"] and len(facts["macs"]) == 2
    assert traffic["pings"] > 0 and traffic["answers"] > 0


def test_only_frames_with_the_networks_tag_reach_its_guests(facts):
    assert facts["probes"] == ["tag 123"]


def test_a_restarted_agent_keeps_the_devices(facts):
    assert facts["restart"]["after"] == facts["restart"]["before"]


def test_nothing_is_left_over(facts):
    assert facts["left over"] == [{}, {}]
