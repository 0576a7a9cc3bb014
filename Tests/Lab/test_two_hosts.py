"""A second host joins with a token; guests land on both and reach each other over a flat network."""
import base64
import re

import pytest

from conftest import agent_changes, write_configuration
from skerrylab.cloud import Cloud
from skerrylab.guest import wait_ready
from skerrylab.leftovers import difference, snapshot
from skerrylab.waiting import eventually


@pytest.fixture(scope="module")
def second(cloud, hosts, folder):
    """An agent on lab2. It has its own prefix, and nothing of the first host's but the coordinator's address."""
    _, host = hosts
    prefix = folder / "two"
    second = Cloud(host, prefix)
    write_configuration("agent.yaml", prefix, agent_changes(prefix, "lab2", "lab: flat0", "10.77.0.1"))
    second.packaging("layout_create; build_binaries; libvirt_start")
    token = cloud.skerry("node", "token").strip()
    second.packaging(f'"$bin_dir/skerry-agent" join --config "$agent_config" --coordinator 10.77.0.1:8701 --token {token}')
    second.start("agent")
    up = lambda: [line for line in nodes(cloud) if "lab2" in line and " up " in f"{line} "]
    eventually("lab2 is up", up, 30)
    second.token = token
    yield second
    second.stop("agent")
    second.packaging("guests_stop; libvirt_stop")


def nodes(cloud):
    return cloud.skerry("node", "list").splitlines()


def boot(admin, network, name, address, script=None, **where):
    data = base64.b64encode(script.encode()).decode() if script else None
    return admin.compute.create_server(
        name=name, image_id=admin.image.find_image("skerry-test").id,
        flavor_id=admin.compute.find_flavor("m1.nano").id, **where,
        networks=[{"uuid": network.id, "fixed_ip": address}], config_drive=True,
        **({"user_data": data} if data else {}))


def test_a_used_token_is_worth_nothing(cloud, second, folder):
    # By its name this host is a new one: nothing but the token is in its way.
    prefix = folder / "three"
    write_configuration("agent.yaml", prefix, agent_changes(prefix, "lab3", "lab: flat0", "10.77.0.1"))
    join = f'"$bin_dir/skerry-agent" join --config {prefix}/etc/agent.yaml --token {second.token}'
    output = second.packaging(f"{join} 2>&1 || echo DID-NOT-JOIN")
    assert "unknown, used up or too old" in output and "DID-NOT-JOIN" in output
    assert not [line for line in nodes(cloud) if "lab3" in line]


def test_guests_on_two_hosts_ping_each_other(cloud, second, admin, clean):
    before = snapshot(second)
    network = admin.network.create_network(
        name="flat-lab", provider_network_type="flat", provider_physical_network="lab")
    subnet = admin.network.create_subnet(
        network_id=network.id, ip_version=4, cidr="10.88.0.0/24", gateway_ip=None, name="flat-lab")
    ping = "#!/bin/sh\nfor try in $(seq 60); do ping -c 1 -W 1 10.88.0.11 >/dev/null && echo PEER-ANSWERS && exit; done\n"
    # The first is sent to the host that has more guests; the scheduler, left alone, spreads them.
    servers = [
        boot(admin, network, "sent", "10.88.0.11", availability_zone="nova:lab1"),
        boot(admin, network, "spread", "10.88.0.12", ping)]
    shown = [admin.compute.wait_for_server(server, wait=60) for server in servers]
    assert [server.hypervisor_hostname for server in shown] == ["lab1", "lab2"]
    assert cloud.qemu_pid(servers[0].id) and second.qemu_pid(servers[1].id)
    consoles = [cloud.console, second.console]
    addresses = [wait_ready(lambda: read(server.id)).ipv4 for read, server in zip(consoles, servers)]
    assert addresses == [["10.88.0.11"], ["10.88.0.12"]]
    assert "PEER-ANSWERS" in second.console(servers[1].id)

    for server in servers:
        admin.compute.delete_server(server)
    for server in servers:
        admin.compute.wait_for_delete(server, wait=60)
    admin.network.delete_subnet(subnet)
    admin.network.delete_network(network)
    eventually("lab2 is as before", lambda: difference(before, snapshot(second)) == {}, 20)


# Says what it finds behind the root disk's file system, and leaves a mark there.
MARKING = """#!/bin/sh
echo "DISK-HAS=$(dd if=/dev/vda bs=512 skip=1500000 count=1 2>/dev/null | tr -d '\\000')."
echo -n mark | dd of=/dev/vda bs=512 seek=1500000 conv=notrunc,fsync 2>/dev/null
echo MARKED
"""


def test_a_server_moves_to_the_other_host_with_its_disk_and_back(cloud, second, admin, clean):
    """Each agent is killed on the way. At no moment do both hosts run the guest."""
    before = snapshot(second)
    network = admin.network.create_network(
        name="flat-lab", provider_network_type="flat", provider_physical_network="lab")
    subnet = admin.network.create_subnet(
        network_id=network.id, ip_version=4, cidr="10.88.0.0/24", gateway_ip=None, name="flat-lab")
    server = admin.compute.wait_for_server(
        boot(admin, network, "mover", "10.88.0.11", MARKING, availability_zone="nova:lab1"), wait=60)
    eventually("the mark is written", lambda: "MARKED" in cloud.console(server.id), 60)
    assert "DISK-HAS=." in cloud.console(server.id)

    def reach(status, host):
        def there():
            assert not (cloud.qemu_pid(server.id) and second.qemu_pid(server.id)), "two hosts run it"
            shown = admin.compute.get_server(server.id)
            assert shown.status != "ERROR", shown.fault
            return shown.status == status and not shown.task_state and shown.hypervisor_hostname == host
        eventually(f"it is {status} on {host}", there, 180, every=0.3)

    admin.compute.migrate_server(server.id)
    cloud.kill("agent")
    cloud.start("agent")
    reach("VERIFY_RESIZE", "lab2")
    eventually("the disk came along", lambda: "DISK-HAS=mark." in second.console(server.id), 60)
    eventually("lab1 has nothing of it", lambda: server.id not in cloud.virsh("list", "--all", "--uuid"), 20)

    admin.compute.revert_server_resize(server.id)
    second.kill("agent")
    second.start("agent")
    reach("ACTIVE", "lab1")
    eventually("the disk came back", lambda: "DISK-HAS=mark." in cloud.console(server.id), 60)
    eventually("lab2 is as before", lambda: difference(before, snapshot(second)) == {}, 20)

    admin.compute.migrate_server(server.id, host="lab2")
    reach("VERIFY_RESIZE", "lab2")
    admin.compute.confirm_server_resize(server.id)
    reach("ACTIVE", "lab2")
    assert not [image.name for image in admin.image.images() if image.name.endswith("-migrating")]
    admin.compute.delete_server(server.id)
    admin.compute.wait_for_delete(server, wait=60)
    admin.network.delete_subnet(subnet)
    admin.network.delete_network(network)
    eventually("lab2 is as before", lambda: difference(before, snapshot(second)) == {}, 20)


def test_a_removed_host_cannot_come_back(cloud, second, admin):
    shown = cloud.skerry("node", "show", "lab2")
    assert re.search(r"^hostname +lab2$", shown, re.MULTILINE) and re.search(r"^health +up$", shown, re.MULTILINE)
    assert cloud.metrics("coordinator")["skerry_agents_connected"] == 2
    cloud.skerry("node", "remove", "lab2")
    second.kill("agent")
    said = len(second.log("agent"))
    second.start("agent")
    eventually("the agent is refused", lambda: "was removed from the cloud" in second.log("agent")[said:], 20)
    assert cloud.metrics("coordinator")["skerry_agents_connected"] == 1
    assert not [line for line in nodes(cloud) if "lab2" in line]
    assert [hypervisor.name for hypervisor in admin.compute.hypervisors()] == ["lab1"]
