"""kill -9 of either daemon at ten seeded moments of a server's creation and of its deletion.

The first moment of each ten lies before the request is answered; the others are spread over the time that a creation or
a deletion takes when nobody interferes. In some rounds the host has to fetch the image first, and the daemon is killed
when a share of it is there. What the database says right after each kill shows what was hit.
"""
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import random
import time
import xml.etree.ElementTree as ElementTree

import keystoneauth1.exceptions
import openstack
import pytest

from skerrylab.cloud import GUEST_IMAGE
from skerrylab.guest import wait_ready
from skerrylab.leftovers import allocations, difference, snapshot
from skerrylab.victim import Victim, stage
from skerrylab.waiting import eventually

SEED = 20_240_601
MOMENTS = 10
# So many of the moments of each kind must be before the end of what is interrupted, all but one of them in its midst.
IN_TIME = 6
# Rounds whose image the host does not have, and of how many of them the fetch must be interrupted.
FETCHES, FETCHES_HIT = {2, 5, 8}, 2
# A qcow2 may have anything behind its end. It makes the image another one, and its fetch last longer.
PADDING = 16 << 20
CUT = keystoneauth1.exceptions.ConnectionError
TROUBLE = (openstack.exceptions.SDKException, OSError, CUT)


@pytest.fixture(scope="module")
def parts(demo):
    """What each server is made of. The network is used by first-guest already, so that it outlives every server."""
    return {
        "imageRef": demo.image.find_image("skerry-test").id,
        "flavorRef": demo.compute.find_flavor("m1.nano").id,
        "networks": [{"uuid": demo.network.find_network("external").id}],
    }


@dataclasses.dataclass
class Usual:
    """Seconds that something takes when nobody interferes: until the request is answered, and until all is done."""
    answer: float
    done: float

    def moments(self, name):
        """Seconds after the start; the first is before the answer, the others are in any order."""
        dice = random.Random(f"{SEED} {name}")
        shares = [0.02 + 0.93 * (number + dice.random()) / (MOMENTS - 1) for number in range(MOMENTS - 1)]
        dice.shuffle(shares)
        return [self.answer * dice.uniform(0.05, 0.8), *(share * self.done for share in shares)]


@pytest.fixture(scope="module")
def usual(cloud, demo, parts):
    """Of creation and deletion; the shorter of two each, as the machine may have had other things to do."""
    before = snapshot(cloud)
    creations, deletions = [], []
    for _ in range(2):
        server_id, seconds = measure(lambda: post(demo, "usual", parts), lambda new: wait_active(demo, new, every=0.02))
        creations.append(seconds)
        _, seconds = measure(lambda: delete(demo, server_id), lambda _: wait_gone(demo, server_id, every=0.02))
        deletions.append(seconds)
    # The agent takes a port's rules away a moment later: what follows must not find them on its first look.
    eventually("the host is as before", lambda: difference(before, snapshot(cloud)) == {}, 20, every=0.3)
    return [Usual(*map(min, zip(*each))) for each in (creations, deletions)]


def measure(request, wait):
    """The answer, and the seconds until it came and until what it promised is done."""
    began = time.monotonic()
    answer = request()
    answered = time.monotonic() - began
    wait(answer)
    return answer, (answered, time.monotonic() - began)


# Requests, of which none is sent twice behind our back.

def post(demo, name, parts):
    """The new server's id."""
    answer = demo.compute.post("/servers", json={"server": {"name": name, **parts}}, connect_retries=0)
    assert answer.status_code == 202, answer.text
    return answer.json()["server"]["id"]


def delete(demo, server_id):
    answer = demo.compute.delete(f"/servers/{server_id}", connect_retries=0)
    assert answer.status_code in (204, 404), answer.text


def status(demo, server_id):
    server = demo.compute.get_server(server_id)
    assert server.status != "ERROR", f"server {server_id}: {server.fault}"
    return server.status


def wait_active(demo, server_id, every=0.1):
    eventually("the server is ACTIVE", lambda: status(demo, server_id) == "ACTIVE", 60, every, tolerate=TROUBLE)


def wait_gone(demo, server_id, every=0.1):
    def gone():
        try:
            return not demo.compute.get_server(server_id)
        except openstack.exceptions.NotFoundException:
            return True
    eventually("the server is gone", gone, 60, every, tolerate=TROUBLE)


@contextlib.contextmanager
def fresh_image(demo, name):
    """The test image with something behind its end, which makes it one that no host has. Gives id, sha512 and size."""
    content = GUEST_IMAGE.read_bytes() + random.Random(f"{SEED} {name}").randbytes(1 << 20) * (PADDING >> 20)
    answer = demo.image.post("/images", json={"name": name, "disk_format": "qcow2", "container_format": "bare"})
    assert answer.status_code == 201, answer.text
    image_id = answer.json()["id"]
    try:
        answer = demo.image.put(
            f"/images/{image_id}/file", data=content, headers={"Content-Type": "application/octet-stream"})
        assert answer.status_code == 204, answer.text
        yield image_id, hashlib.sha512(content).hexdigest(), len(content)
    finally:
        demo.image.delete_image(image_id)


def cached(cloud, pattern):
    """Sizes of images on the host; those that it is still fetching end in .partial."""
    found = []
    for path in (cloud.state / "agent" / "images").glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            found.append(path.stat().st_size)
    return found


# Kills

def interrupt(cloud, daemon, request, moment, server):
    """Sends the request, kills the daemon when `moment` returns, and starts it again.

    `moment` is given the time at which the request was sent; `server` is the name or id of what it is about. Gives the
    answer in a tuple, or None when there was none, and what was hit.
    """
    victim = Victim(cloud, daemon)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        answer = pool.submit(request)
        moment(began)
        was_answered = answer.done()
        victim.kill()
        error = answer.exception(60)
    hit = stage(cloud, server)
    hit += "+fetching" if cached(cloud, "*.partial") else ""
    hit += "" if was_answered else "+unanswered"
    # A client talks to the coordinator alone: the agent's death it does not notice.
    if error and not (daemon == "coordinator" and isinstance(error, CUT)):
        raise error
    cloud.start(daemon)
    return None if error else (answer.result(),), hit


def after(seconds):
    return lambda began: time.sleep(max(0, began + seconds - time.monotonic()))


def when_fetched(cloud, digest, least):
    """The moment at which the host has so many bytes of an image."""
    return lambda _: eventually(
        "the image is being fetched", lambda: max(cached(cloud, f"{digest}*"), default=0) >= least, 30, every=0.001)


def create(cloud, demo, daemon, name, parts, moment):
    """The server's id and what was hit. The server is ACTIVE, whatever the client was told."""
    answer, hit = interrupt(cloud, daemon, lambda: post(demo, name, parts), moment, name)
    ids = [server.id for server in demo.compute.servers(name=name)]
    if answer:
        assert ids == [*answer], f"{hit}: there are {ids}, the answer was {answer}"
    elif not ids:
        # Then nothing at all may be there, which the next look at the host shows. A client would try again.
        assert hit == "none+unanswered", hit
        ids = [post(demo, name, parts)]
    assert len(ids) == 1, f"{hit}: there are {ids}"
    wait_active(demo, ids[0])
    return ids[0], hit


def remove(cloud, demo, daemon, server_id, moment):
    """What was hit. The server is gone."""
    answer, hit = interrupt(cloud, daemon, lambda: delete(demo, server_id), moment, server_id)
    if not answer:
        eventually("the deletion is accepted", lambda: delete(demo, server_id) or True, 30, tolerate=TROUBLE)
    wait_gone(demo, server_id)
    return hit


# What must be

def domains(cloud):
    return sorted(cloud.virsh("list", "--all", "--uuid").split())


def check_as_asked(cloud, demo, server_id, parts, others):
    """Server, port and domain are what was asked for, once. Gives the addresses."""
    flavor = demo.compute.get_flavor(parts["flavorRef"])
    server = demo.compute.get_server(server_id)
    assert (server.image.id, server.flavor.original_name) == (parts["imageRef"], flavor.name)
    port, = demo.network.ports(device_id=server_id)
    assert [port.network_id] == [network["uuid"] for network in parts["networks"]]
    addresses = {fixed["ip_address"] for fixed in port.fixed_ips}
    assert sorted(":" in address for address in addresses) == [False, True], addresses
    entries = [entry for each in server.addresses.values() for entry in each]
    assert {entry["addr"] for entry in entries} == addresses
    assert {entry["OS-EXT-IPS-MAC:mac_addr"] for entry in entries} == {port.mac_address}

    assert domains(cloud) == sorted([*others, server_id])
    assert cloud.qemu_pid(server_id)
    domain = ElementTree.fromstring(cloud.virsh("dumpxml", server_id))
    assert (domain.find("memory").get("unit"), int(domain.findtext("memory"))) == ("KiB", flavor.ram * 1024)
    assert int(domain.findtext("vcpu")) == flavor.vcpus
    interface, = domain.findall("devices/interface")
    assert interface.find("mac").get("address") == port.mac_address
    assert interface.find("target").get("dev") == f"tap{port.id[:11]}"
    return addresses


def holdings(admin, demo, parts):
    """What servers hold besides what is on their hosts."""
    limits = demo.compute.get("/limits").json()["limits"]["absolute"]
    networks = [admin.network.get_network_ip_availability(network["uuid"]) for network in parts["networks"]]
    return {
        "servers": {server.id for server in demo.compute.servers()},
        "ports": {port.id: port.fixed_ips for port in demo.network.ports()},
        "addresses in use": [network.used_ips for network in networks],
        "quota": [limits[name] for name in ("totalInstancesUsed", "totalCoresUsed", "totalRAMUsed")],
        "allocations": allocations(admin),
    }


def same(before, after):
    return [kind for kind in before if before[kind] == after[kind]]


@pytest.mark.parametrize("daemon", ["coordinator", "agent"])
def test_servers_come_and_go_whatever_dies(cloud, admin, demo, parts, usual, daemon, witness, clean):
    before, held, others = snapshot(cloud), holdings(admin, demo, parts), domains(cloud)
    created, removed = [], []
    plan = zip(*(usual.moments(f"{daemon} {what}") for usual, what in zip(usual, ("create", "delete"))))
    shares = random.Random(f"{SEED} {daemon} fetch")
    for number, (during_create, during_delete) in enumerate(plan):
        name = f"kill-{daemon}-{number}"
        with contextlib.ExitStack() as stack:
            wanted, moment = parts, after(during_create)
            if number in FETCHES:
                image, digest, size = stack.enter_context(fresh_image(demo, name))
                wanted = {**parts, "imageRef": image}
                moment = when_fetched(cloud, digest, size * shares.uniform(0.05, 0.8))
            server_id, hit = create(cloud, demo, daemon, name, wanted, moment)
            created.append(hit)
            addresses = check_as_asked(cloud, demo, server_id, wanted, others)
            assert cached(cloud, "*.partial") == []
            assert same(held, holdings(admin, demo, parts)) == [], "this would not show what a server leaves behind"
            if number == MOMENTS - 1:
                ready = wait_ready(lambda: cloud.console(server_id))
                assert set(ready.ipv4) == {address for address in addresses if ":" not in address}
            removed.append(remove(cloud, demo, daemon, server_id, after(during_delete)))
        said = f"{name}, create {during_create:.3f} s: {created[-1]}, delete {during_delete:.3f} s: {removed[-1]}"
        eventually(
            f"nothing is left over ({said})", lambda: difference(before, snapshot(cloud)) == {}, 20, every=0.3)
        assert holdings(admin, demo, parts) == held, said
    check_moments(usual, created, removed)


def check_moments(usual, created, removed):
    """The kills hit what they were to interrupt."""
    said = f"creations hit: {', '.join(created)}; deletions hit: {', '.join(removed)}; {usual}"
    print(said)
    count = lambda hits, *starts: sum(hit.startswith(starts) for hit in hits)
    assert count(created, "none", "building") >= IN_TIME, said
    assert count(created, "building") >= IN_TIME - 1, said
    assert count(removed, "active") >= IN_TIME, said
    assert count(removed, "active/deleting") >= IN_TIME - 1, said
    assert sum("building" in hit and "+fetching" in hit for hit in created) >= FETCHES_HIT, said
