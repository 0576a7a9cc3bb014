"""A real guest that starts from a volume: made from the image with it, there after a hard reboot, and kept without it."""
import pytest

from skerrylab.guest import ssh, wait_ready
from skerrylab.waiting import eventually


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
    inside("echo kept > /root/mark; sync")
    run("server", "reboot", "--hard", "--wait", "rooted")
    eventually("the guest is back", lambda: inside("cat /root/mark").strip() == "kept", 240, every=2,
               tolerate=(AssertionError, IndexError))
    run("server", "delete", "--wait", "rooted")
    eventually("the volume is free", lambda: run("volume", "show", volume, "-f", "json")["status"] == "available", 60,
               every=0.5)

    other, inside = start(cloud, run, key, "--volume", volume)
    assert other != server
    run("server", "delete", "--wait", "rooted")
    run("volume", "delete", volume)
    eventually("the volume is gone", lambda: not run("volume", "list", "-f", "json"), 60, every=1)
