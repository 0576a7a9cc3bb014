"""A real guest that starts from a volume: made from the image with it, there after a hard reboot, and kept without it."""
import pytest

from skerrylab.guest import ssh, wait_ready
from skerrylab.waiting import eventually


PLACE = 1_500_000


def read(inside):
    return inside(f"dd if=/dev/vda bs=512 skip={PLACE} count=1 2>/dev/null | tr -d '\\000'").strip()


@pytest.fixture
def run(cloud):
    return lambda *arguments, **options: cloud.openstack(*arguments, **options)


def start(cloud, run, key, *source):
    server = run("server", "create", "rooted", *source, "--flavor", "m1.nano", "--key-name", "demo",
                 "--network", "external", "-f", "json")

    def settled():
        shown = run("server", "show", server["id"], "-f", "json")
        assert shown["status"] != "ERROR", shown["fault"]
        return shown["status"] == "ACTIVE"
    eventually("the server runs", settled, 180, every=1)
    wait_ready(lambda: cloud.console(server["id"]))
    addresses = run("server", "show", "rooted", "-f", "json")["addresses"]["external"]
    address = next(each for each in addresses if "." in each)
    return server["id"], lambda command: ssh(address, key, command)


def test_a_server_starts_from_a_volume_that_outlives_it(cloud, run, key, clean):
    server, inside = start(cloud, run, key, "--image", "skerry-test", "--boot-from-volume", "1")
    attachments = run("server", "volume", "list", server, "-f", "json")
    volume = attachments[0]["Volume ID"]
    assert len(attachments) == 1 and attachments[0]["Device"] == "/dev/vda"
    assert volume in cloud.virsh("dumpxml", server)
    # Behind the file system: the guest's own root is in its memory.
    inside(f"echo kept | dd of=/dev/vda bs=512 seek={PLACE} conv=notrunc,fsync 2>/dev/null")
    run("server", "reboot", "--hard", "--wait", "rooted")
    eventually("the guest is back", lambda: read(inside) == "kept", 240, every=2,
               tolerate=(AssertionError, IndexError))
    run("server", "delete", "--wait", "rooted")
    eventually("the volume is free", lambda: run("volume", "show", volume, "-f", "json")["status"] == "available", 60,
               every=0.5)

    other, inside = start(cloud, run, key, "--volume", volume)
    assert other != server
    assert read(inside) == "kept"
    run("server", "delete", "--wait", "rooted")
    run("volume", "delete", volume)
    eventually("the volume is gone", lambda: not run("volume", "list", "-f", "json"), 60, every=1)
