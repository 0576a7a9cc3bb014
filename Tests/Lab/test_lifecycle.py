"""What a server goes through, with a real guest: another size, another image, another host's worth of nothing, and back.

A mark that the guest writes on its root disk says at each step which disk it has. A daemon is killed in the middle of
each step; what was asked for is there all the same once it runs again.
"""
import xml.etree.ElementTree as ElementTree

import pytest

from skerrylab.guest import READY, ssh
from skerrylab.waiting import eventually

# Sectors from the start of the root disk, behind all that the image has.
PLACE = 1_500_000


class Guest:
    def __init__(self, cloud, run, key, name):
        self.cloud, self.run, self.key, self.name = cloud, run, key, name
        self.id = self.show()["id"]

    def show(self):
        return self.run("server", "show", self.name, "-f", "json")

    def reach(self, status):
        eventually(f"{self.name} is {status}", lambda: self.status() == status, 120, every=0.5)

    def status(self):
        server = self.show()
        assert server["status"] != "ERROR", server.get("fault")
        # A task goes on until its last step is written.
        return server["status"] if not server["OS-EXT-STS:task_state"] else None

    def inside(self, command):
        address = next(each for each in self.show()["addresses"]["external"] if "." in each)
        return ssh(address, self.key, command, seconds=90)

    def write(self, mark, disk="vda"):
        self.inside(f"echo {mark} | dd of=/dev/{disk} bs=512 seek={PLACE} conv=notrunc,fsync 2>/dev/null")

    def read(self, disk="vda"):
        return self.inside(f"dd if=/dev/{disk} bs=512 skip={PLACE} count=1 2>/dev/null | tr -d '\\000'").strip()

    def domain(self):
        """What the host runs, by the host's own word."""
        return ElementTree.fromstring(self.cloud.virsh("dumpxml", self.id))

    def memory(self):
        return int(self.domain().find("memory").text) // 1024

    def disks(self):
        return [disk.find("target").get("dev") for disk in self.domain().findall("devices/disk[@device='disk']")]

    def is_defined(self):
        return self.id in self.cloud.virsh("list", "--all", "--uuid")


@pytest.fixture
def guest(cloud, key, clean):
    run = cloud.openstack
    run("server", "create", "lifecycle", "--image", "skerry-test", "--flavor", "m1.nano", "--key-name", "demo", "--network",
        "external", "--wait")
    guest = Guest(cloud, run, key, "lifecycle")
    eventually("the guest is up", lambda: READY.search(cloud.console(guest.id)), 90, every=0.5)
    yield guest
    run("server", "delete", "--wait", "lifecycle")


def interrupt(cloud, daemon):
    cloud.kill(daemon)
    cloud.start(daemon)


def test_a_server_has_its_disk_through_all_of_it(cloud, guest):
    run = guest.run
    guest.write("first")

    # Another size, and back, and for good.
    run("server", "resize", "--flavor", "m1.tiny", guest.name)
    interrupt(cloud, "agent")
    guest.reach("VERIFY_RESIZE")
    assert guest.memory() == 256
    assert guest.read() == "first"
    run("server", "resize", "revert", guest.name)
    interrupt(cloud, "coordinator")
    guest.reach("ACTIVE")
    assert guest.memory() == 96
    run("server", "resize", "--flavor", "m1.tiny", "--wait", guest.name)
    run("server", "resize", "confirm", guest.name)
    guest.reach("ACTIVE")
    assert guest.memory() == 256 and guest.read() == "first"

    # A copy of its disk while it runs.
    process = cloud.qemu_pid(guest.id)
    run("server", "image", "create", "--name", "moment", guest.name)
    eventually("the image is there", lambda: run("image", "show", "moment", "-f", "json")["status"] == "active", 120,
               every=0.5)
    assert cloud.qemu_pid(guest.id) == process
    guest.write("second")

    # A strange system beside its own disk.
    run("server", "rescue", guest.name)
    interrupt(cloud, "agent")
    guest.reach("RESCUE")
    assert guest.disks() == ["vda", "vdb"]
    assert guest.read("vdb") == "second" and guest.read("vda") == ""
    run("server", "unrescue", guest.name)
    interrupt(cloud, "coordinator")
    guest.reach("ACTIVE")
    assert guest.disks() == ["vda"] and guest.read() == "second"

    # The disk of that moment, and a fresh one.
    run("server", "rebuild", "--image", "moment", guest.name)
    interrupt(cloud, "agent")
    guest.reach("ACTIVE")
    assert guest.read() == "first"

    # Off the host, and there again.
    run("server", "shelve", guest.name)
    interrupt(cloud, "agent")
    eventually("it has left its host", lambda: guest.status() == "SHELVED_OFFLOADED", 180, every=0.5)
    eventually("nothing of it is defined", lambda: not guest.is_defined(), 20)
    folder = cloud.state / "agent" / "instances" / guest.id
    eventually("its disk is gone", lambda: not folder.exists(), 20)
    run("server", "unshelve", guest.name)
    interrupt(cloud, "coordinator")
    guest.reach("ACTIVE")
    assert guest.read() == "first" and guest.memory() == 256

    run("server", "rebuild", "--image", "skerry-test", "--wait", guest.name)
    guest.reach("ACTIVE")
    assert guest.read() == ""
    run("image", "delete", "moment")


def test_a_copy_that_is_interrupted_ends_and_leaves_nothing(cloud, guest):
    """Whichever daemon dies while the disk goes up: an image that is whole, or none, and a server that goes on."""
    run = guest.run
    for daemon in ("agent", "coordinator"):
        run("server", "image", "create", "--name", f"cut-{daemon}", guest.name)
        interrupt(cloud, daemon)
        guest.reach("ACTIVE")

        def settled():
            images = {image["Name"]: image["Status"] for image in run("image", "list", "-f", "json")}
            return images.get(f"cut-{daemon}", "none") in ("active", "none") and images
        images = eventually("the image is whole or gone", settled, 120, every=1)
        if f"cut-{daemon}" in images:
            run("image", "delete", f"cut-{daemon}")
        assert guest.read() == ""
