"""Two lab hosts joined by two cables, and a cloud that quickstart made on the first. Needs root."""
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from skerrylab.cloud import GUEST_IMAGE, PACKAGING, Cloud
from skerrylab.host import LabHost, cable
from skerrylab.leftovers import allocations, difference, snapshot

# pgrep's expression for the processes of a cloud.
OURS = "qemu|libvirtd|virtlogd|dnsmasq|skerry"
# Those that share a cloud, in this order; what needs no lab host comes first.
ORDER = ["test_host", "test_vlan", "test_quickstart", "test_story", "test_volumes", "test_boot_volume", "test_console",
         "test_lifecycle", "test_disconnected", "test_kill", "test_router", "test_two_hosts", "test_purge"]


def pytest_configure():
    """A run that is told to end still takes its hosts and guests away."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.module.__name__, -1))


def pytest_report_header():
    from skerrylab.cloud import binaries
    return f"programs under test: {binaries()}"


def write_configuration(template, prefix, changes):
    """A default configuration file with some lines replaced; `changes` maps the start of a line to the new line."""
    lines = []
    for line in (PACKAGING / "config" / template).read_text().splitlines():
        lines.append(next((new for start, new in changes.items() if line.startswith(start)), line))
    path = prefix / "etc" / template
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def agent_changes(prefix, name, physical, coordinator):
    return {
        "state_directory:": f"state_directory: {prefix}/state/agent",
        "coordinator:": f"coordinator: {coordinator}:8701",
        "# name:": f"name: {name}",
        "  uri:": f"  uri: qemu+unix:///system?socket={prefix}/libvirt/run/libvirt-sock",
        "  physical_networks:": "  physical_networks: {" + physical + "}",
    }


@pytest.fixture(scope="session")
def folder():
    # Not pytest's: QEMU's user must be able to enter every folder above the disks.
    path = pathlib.Path(tempfile.mkdtemp(prefix="skerry-lab-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def hosts():
    """lab1 and lab2: `link0` carries management (10.77.0.0/24), `flat0` is the physical network `lab` between them."""
    first, second = LabHost("lab1"), LabHost("lab2")
    for own in ("link0", "flat0"):
        cable(first, own, second, own)
    first.run("ip", "addr", "add", "10.77.0.1/24", "dev", "link0")
    second.run("ip", "addr", "add", "10.77.0.2/24", "dev", "link0")
    yield first, second
    first.close()
    second.close()


@pytest.fixture(scope="session")
def strangers(hosts):
    """Processes that look like ours, of whatever else runs on the machine: a cloud of its own, say."""
    return set(hosts[0].run("pgrep", "-a", OURS, check=False).splitlines())


@pytest.fixture(scope="session")
def cloud(hosts, folder, strangers):
    first, _ = hosts
    prefix = folder / "one"
    cloud = Cloud(first, prefix)
    write_configuration("coordinator.yaml", prefix, {
        "state_directory:": f"state_directory: {prefix}/state/coordinator",
        "socket:": f"socket: {prefix}/run/coordinator.sock",
        "  names:": '  names: ["10.77.0.1"]',
    })
    write_configuration("agent.yaml", prefix, {
        **agent_changes(prefix, "lab1", "external: skerry-ext0, lab: flat0", "127.0.0.1"),
        # It reaches its coordinator over the loopback, where no other host reaches it.
        "  # tunnel_address:": "  tunnel_address: link0",
    })
    # What apt writes is not the cloud's doing: `began` is what test_purge compares the system's files with.
    cloud.packaging('ensure_packages "${packages_run[@]}" "${packages_image[@]}"', timeout=900)
    subprocess.run([PACKAGING / "guest-image", "--output", GUEST_IMAGE], check=True)
    cloud.began = folder / "began"
    cloud.began.touch()
    first.enter_network()
    cloud.first_output = cloud.quickstart()
    return cloud


@pytest.fixture(scope="session")
def admin(cloud):
    return cloud.sdk("skerry")


@pytest.fixture(scope="session")
def demo(cloud):
    return cloud.sdk("demo")


@pytest.fixture(scope="session")
def key(cloud):
    return cloud.prefix / "etc" / "demo-key"


@pytest.fixture
def clean(cloud, admin):
    """The test must leave host and placement as it found them."""
    before, claims = snapshot(cloud), allocations(admin)
    yield
    # The agent takes things away a moment after the API has said that they are gone.
    deadline = time.monotonic() + 20
    while difference(before, snapshot(cloud)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert difference(before, snapshot(cloud)) == {}
    assert allocations(admin) == claims


@pytest.fixture
def witness(cloud, demo):
    """The guest that is ACTIVE all the time keeps its QEMU process, whatever dies around it."""
    server = demo.compute.find_server("first-guest")
    pid = cloud.qemu_pid(server.id)
    assert pid, "first-guest has no QEMU process"
    yield server
    assert cloud.qemu_pid(server.id) == pid, "the QEMU process of an ACTIVE guest changed"
