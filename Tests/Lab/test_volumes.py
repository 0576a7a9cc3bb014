"""Volumes with a real guest: attached while it runs, written from inside, copied under it, and read back on the copy."""
import hashlib

import pytest

from skerrylab.guest import ssh, wait_ready
from skerrylab.waiting import eventually

# Enough to lie in several clusters of a qcow2 file.
PATTERN_KIB = 512


@pytest.fixture
def run(cloud):
    return lambda *arguments, **options: cloud.openstack(*arguments, **options)


@pytest.fixture
def guest(cloud, run, key, clean):
    """A guest that ssh reaches from the host."""
    server = run("server", "create", "volumes", "--image", "skerry-test", "--flavor", "m1.nano", "--key-name", "demo",
                 "--network", "external", "--wait", "-f", "json")
    wait_ready(lambda: cloud.console(server["id"]))
    addresses = run("server", "show", "volumes", "-f", "json")["addresses"]["external"]
    address = next(each for each in addresses if "." in each)
    yield server["id"], lambda command: ssh(address, key, command)
    run("server", "delete", "--wait", "volumes")


def reach(run, kind, name, status):
    eventually(f"{kind} {name} is {status}", lambda: run(*kind.split(), "show", name, "-f", "json")["status"] == status,
               60, every=0.5)


def attach(run, inside, name):
    """Attaches the volume, and says what the guest's kernel calls it."""
    before = set(inside("ls /sys/block").split())
    run("server", "add", "volume", "volumes", name)
    reach(run, "volume", name, "in-use")
    return eventually(f"the guest sees {name}", lambda: set(inside("ls /sys/block").split()) - before, 30).pop()


def detach(run, name):
    run("server", "remove", "volume", "volumes", name)
    reach(run, "volume", name, "available")


def digest(inside, device):
    return inside(f"dd if=/dev/{device} bs=1024 count={PATTERN_KIB} 2>/dev/null | md5sum").split()[0]


def layers(cloud, volume):
    """The files that a volume is made of, in whatever pool it lies."""
    return sorted(path.name for path in (cloud.state / "agent" / "volumes").glob(f"{volume}.*.qcow2"))


def test_a_volume_in_use_becomes_an_image_and_its_chain_is_kept_short(cloud, demo, run, guest):
    server, inside = guest
    run("volume", "create", "--size", "1", "data")
    reach(run, "volume", "data", "available")
    volume = run("volume", "show", "data", "-f", "json")["id"]
    device = attach(run, inside, "data")
    inside(f"dd if=/dev/urandom of=/dev/{device} bs=1024 count={PATTERN_KIB} 2>/dev/null; sync")
    first = digest(inside, device)

    image = run("image", "create", "--volume", "data", "--force", "--disk-format", "qcow2", "picture", "-f", "json")
    assert image["status"] == "uploading"
    reach(run, "image", "picture", "active")
    reach(run, "volume", "data", "in-use")
    run("volume", "create", "--size", "1", "--image", "picture", "copy")
    reach(run, "volume", "copy", "available")
    copy = attach(run, inside, "copy")
    assert digest(inside, copy) == first
    detach(run, "copy")

    # Many moments that nobody wants any more.
    for number in range(14):
        demo.block_storage.create_snapshot(volume_id=volume, name="moment", is_forced=True)
        reach(run, "volume snapshot", "moment", "available")
        run("volume", "snapshot", "delete", "moment")
        inside(f"dd if=/dev/urandom of=/dev/{device} bs=1024 seek={PATTERN_KIB + number} count=1 2>/dev/null; sync")
    whole = inside(f"dd if=/dev/{device} bs=1024 count={2 * PATTERN_KIB} 2>/dev/null | md5sum").split()[0]
    eventually("the moments are gone", lambda: not run("volume", "snapshot", "list", "-f", "json"), 30)
    eventually("the chain is short", lambda: len(layers(cloud, volume)) <= 12, 180, every=2)
    # The guest has what it had, and finds it again when it is started anew.
    def is_whole():
        return inside(f"dd if=/dev/{device} bs=1024 count={2 * PATTERN_KIB} 2>/dev/null | md5sum").split()[0] == whole

    assert is_whole()
    # And another moment goes on top of what it has open.
    demo.block_storage.create_snapshot(volume_id=volume, name="last", is_forced=True)
    reach(run, "volume snapshot", "last", "available")
    run("server", "stop", "volumes")
    reach(run, "server", "volumes", "SHUTOFF")
    run("server", "start", "volumes")
    eventually("the guest is back", is_whole, 240, every=2, tolerate=(AssertionError, IndexError))

    detach(run, "data")
    run("volume", "snapshot", "delete", "last")
    eventually("the last is gone", lambda: not run("volume", "snapshot", "list", "-f", "json"), 30)
    for name in ("copy", "data"):
        run("volume", "delete", name)
    run("image", "delete", "picture")
    eventually("the volumes are gone", lambda: not run("volume", "list", "-f", "json"), 30)
    assert layers(cloud, volume) == []


def test_what_a_guest_writes_is_in_the_copies_of_that_moment(cloud, demo, run, guest):
    server, inside = guest
    run("volume", "create", "--size", "1", "data")
    reach(run, "volume", "data", "available")
    volume = run("volume", "show", "data", "-f", "json")["id"]
    device = attach(run, inside, "data")
    # The host's own view.
    assert volume in cloud.virsh("dumpxml", server)
    assert inside(f"cat /sys/block/{device}/size").strip() == str(1 << 21)

    zeros = hashlib.md5(bytes(PATTERN_KIB * 1024)).hexdigest()
    assert digest(inside, device) == zeros
    inside(f"dd if=/dev/urandom of=/dev/{device} bs=1024 count={PATTERN_KIB} 2>/dev/null; sync")
    first = digest(inside, device)
    assert first != zeros

    # While the guest has it, and writes on afterwards.
    # (The command asks whether 3.66 is there, and leaves `force` out then; its library sends 3.65 all the same.)
    demo.block_storage.create_snapshot(volume_id=volume, name="moment", is_forced=True)
    reach(run, "volume snapshot", "moment", "available")
    inside(f"dd if=/dev/zero of=/dev/{device} bs=1024 count={PATTERN_KIB} 2>/dev/null; sync")
    assert digest(inside, device) == zeros

    run("volume", "create", "--snapshot", "moment", "copy")
    reach(run, "volume", "copy", "available")
    copy = attach(run, inside, "copy")
    assert digest(inside, copy) == first

    # Larger, under the guest.
    run("volume", "set", "--size", "2", "data", "--os-volume-api-version", "3.42")
    eventually("the guest sees the new size", lambda: inside(f"cat /sys/block/{device}/size").strip() == str(1 << 22), 30)

    for name in ("copy", "data"):
        detach(run, name)
    assert volume not in cloud.virsh("dumpxml", server)
    run("volume", "delete", "copy")
    run("volume", "snapshot", "delete", "moment")
    eventually("the copies are gone", lambda: not run("volume", "snapshot", "list", "-f", "json"), 30)
    run("volume", "delete", "data")
    eventually("the volumes are gone", lambda: not run("volume", "list", "-f", "json"), 30)
