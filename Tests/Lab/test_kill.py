"""kill -9 of either daemon at ten seeded moments of a server's creation and of its deletion."""
import random
import time

import openstack
import pytest

from skerrylab.leftovers import allocations, difference, snapshot
from skerrylab.waiting import eventually

SEED = 20_240_601
MOMENTS = 10
TROUBLE = (openstack.exceptions.SDKException, OSError)


@pytest.fixture(scope="module")
def parts(demo):
    """What each server is made of. The network is used by first-guest already, so that it outlives every server."""
    return {
        "image_id": demo.image.find_image("skerry-test").id,
        "flavor_id": demo.compute.find_flavor("m1.nano").id,
        "networks": [{"uuid": demo.network.find_network("external").id}],
    }


@pytest.fixture(scope="module")
def usual(cloud, demo, parts):
    """Seconds that a creation and a deletion take when nobody interferes."""
    before = snapshot(cloud)
    began = time.monotonic()
    server = demo.compute.create_server(name="usual", **parts)
    wait_active(demo, server.id)
    created = time.monotonic()
    demo.compute.delete_server(server.id)
    wait_gone(demo, server.id)
    deleted = time.monotonic()
    # The agent takes a port's rules away a moment later: what follows must not find them on its first look.
    eventually("the host is as before", lambda: difference(before, snapshot(cloud)) == {}, 20, every=0.3)
    return created - began, deleted - created


def status(demo, server_id):
    server = demo.compute.get_server(server_id)
    assert server.status != "ERROR", f"server {server_id}: {server.fault}"
    return server.status


def wait_active(demo, server_id):
    eventually("the server is ACTIVE", lambda: status(demo, server_id) == "ACTIVE", 60, every=0.1, tolerate=TROUBLE)


def wait_gone(demo, server_id):
    def gone():
        try:
            return not demo.compute.get_server(server_id)
        except openstack.exceptions.NotFoundException:
            return True
    eventually("the server is gone", gone, 60, every=0.1, tolerate=TROUBLE)


def moments(name, longest):
    generator = random.Random(f"{SEED} {name}")
    return [generator.uniform(0, longest) for _ in range(MOMENTS)]


@pytest.mark.parametrize("daemon", ["coordinator", "agent"])
def test_servers_come_and_go_whatever_dies(cloud, admin, demo, parts, usual, daemon, witness, clean):
    before, claims = snapshot(cloud), allocations(admin)
    plan = zip(moments(f"{daemon} create", usual[0]), moments(f"{daemon} delete", usual[1]))
    for number, (during_create, during_delete) in enumerate(plan):
        said = f"{daemon}, number {number}, create {during_create:.3f} s, delete {during_delete:.3f} s"
        server = demo.compute.create_server(name=f"kill-{number}", **parts)
        time.sleep(during_create)
        restart(cloud, daemon)
        wait_active(demo, server.id)
        assert cloud.qemu_pid(server.id), said
        delete(demo, server.id)
        time.sleep(during_delete)
        restart(cloud, daemon)
        wait_gone(demo, server.id)
        eventually(
            f"nothing is left over ({said})", lambda: difference(before, snapshot(cloud)) == {}, 20, every=0.3)
        assert allocations(admin) == claims, said


def restart(cloud, daemon):
    cloud.kill(daemon)
    cloud.start(daemon)


def delete(demo, server_id):
    eventually(
        "the deletion is accepted", lambda: demo.compute.delete_server(server_id) is None or True, 30, tolerate=TROUBLE)
