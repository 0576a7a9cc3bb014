"""A coordinator and an agent one release apart: each way round, and while either is upgraded under running servers.

Needs no lab host, and two folders of compiled programs: SKERRY_BINARIES (or the release build) is this release, and
SKERRY_BINARIES_BEFORE the one before, as Tests/Lab/build_release makes it of a commit. Without the latter all is skipped.
"""
import os
import pathlib

import pytest

from skerrylab import programs
from skerrylab.private import PrivateCloud
from skerrylab.waiting import eventually

BEFORE = os.environ.get("SKERRY_BINARIES_BEFORE")
PROGRAMS = ("skerry-coordinator", "skerry-agent", "skerry")
HOSTS = 2

if not BEFORE:
    pytest.skip(
        "SKERRY_BINARIES_BEFORE names no folder with the programs of the release before: "
        "make one with Tests/Lab/build_release COMMIT FOLDER", allow_module_level=True)


class MixedCloud(PrivateCloud):
    """Its coordinator and its simulated hosts are of one release or the other, by the name of each program."""

    def __init__(self, coordinator, agent):
        self.folders = {"skerry-coordinator": coordinator, "skerry": coordinator, "skerry-agent": agent}
        super().__init__(hosts=HOSTS)

    def __enter__(self):
        # What starts programs looks for them here.
        self.looked_up, programs.command = programs.command, self.command
        try:
            return super().__enter__()
        except BaseException:
            programs.command = self.looked_up
            raise

    def __exit__(self, *failure):
        try:
            return super().__exit__(*failure)
        finally:
            programs.command = self.looked_up

    def command(self, program, *arguments):
        return [str(pathlib.Path(self.folders[program]) / program), *map(str, arguments)]

    def set_up(self):
        super().set_up()
        self.admin = self.client()
        self.admin.log_in("admin", self.password, "admin")
        self.wait_up()
        self.prepare()

    # Daemons

    def upgrade_coordinator(self, folder):
        self.stop_coordinator()
        self.folders.update({"skerry-coordinator": folder, "skerry": folder})
        self.start_coordinator()
        self.wait_up()

    def upgrade_agent(self, folder):
        assert programs.end(self.agent), "the agent did not end when asked to"
        self.folders["skerry-agent"] = folder
        self.agent = self.spawn("skerry-agent", "run", "--config", self.folder / "agent.yaml")
        self.wait_up()

    def wait_up(self):
        eventually(f"{HOSTS} hosts are up", lambda: self.up() == HOSTS, 60, tolerate=AssertionError)

    def up(self):
        listed = programs.run("skerry", "node", "list", "--socket", self.socket).splitlines()
        return sum(" up " in f"{line} " for line in listed)

    # What tenants do

    def prepare(self):
        call = self.admin.call
        self.image = call("POST", "/image/v2/images", {
            "name": "any", "disk_format": "raw", "container_format": "bare"})["id"]
        call("PUT", f"/image/v2/images/{self.image}/file", b"skerry" * 1000)
        self.flavor = call("POST", "/compute/v2.1/flavors", {"flavor": {
            "name": "tiny", "ram": 64, "vcpus": 1, "disk": 1}})["flavor"]["id"]
        self.network = call("POST", "/network/v2.0/networks", {"network": {"name": "net"}})["network"]["id"]
        call("POST", "/network/v2.0/subnets", {"subnet": {
            "network_id": self.network, "ip_version": 4, "cidr": "10.5.0.0/24"}})

    def create(self, name):
        return self.admin.call("POST", "/compute/v2.1/servers", {"server": {
            "name": name, "imageRef": self.image, "flavorRef": self.flavor,
            "networks": [{"uuid": self.network}]}})["server"]["id"]

    def server(self, server):
        return self.admin.call("GET", f"/compute/v2.1/servers/{server}")["server"]

    def wait_status(self, server, status):
        def reached():
            shown = self.server(server)
            assert shown["status"] != "ERROR", shown.get("fault")
            return shown["status"] == status and not shown["OS-EXT-STS:task_state"]
        eventually(f"the server is {status}", reached, 60)

    def act(self, server, action, status):
        answer = self.admin.send("POST", f"/compute/v2.1/servers/{server}/action", action)
        assert answer.status == 202, answer.body
        self.wait_status(server, status)

    def delete(self, server):
        assert self.admin.send("DELETE", f"/compute/v2.1/servers/{server}").status == 204
        eventually(
            "the server is gone", lambda: self.admin.send("GET", f"/compute/v2.1/servers/{server}").status == 404, 60)

    def live(self, name):
        """A server's whole life."""
        server = self.create(name)
        self.wait_status(server, "ACTIVE")
        self.act(server, {"os-stop": None}, "SHUTOFF")
        self.act(server, {"os-start": None}, "ACTIVE")
        self.act(server, {"reboot": {"type": "HARD"}}, "ACTIVE")
        self.act(server, {"reboot": {"type": "SOFT"}}, "ACTIVE")
        answer = self.admin.send(
            "POST", f"/compute/v2.1/servers/{server}/action", {"os-getConsoleOutput": {"length": 5}})
        assert answer.status == 200, answer.body
        self.delete(server)

    def sessions(self):
        """How often an agent said that it is connected: one that is turned away dials again and again."""
        return self.log("skerry-agent").count("connected to the coordinator")


@pytest.fixture
def now():
    return programs.binaries()


@pytest.fixture
def before():
    folder = pathlib.Path(BEFORE)
    missing = [program for program in PROGRAMS if not (folder / program).is_file()]
    assert not missing, f"SKERRY_BINARIES_BEFORE={BEFORE} lacks {', '.join(missing)}"
    return folder


def test_an_agent_of_the_release_before_serves_a_coordinator_of_this_one(now, before):
    with MixedCloud(coordinator=now, agent=before) as cloud:
        cloud.live("first")
        assert cloud.sessions() == HOSTS, "a session broke"


def test_an_agent_of_this_release_serves_a_coordinator_of_the_one_before(now, before):
    with MixedCloud(coordinator=before, agent=now) as cloud:
        cloud.live("first")
        assert cloud.sessions() == HOSTS, "a session broke"


@pytest.mark.parametrize("first", ["coordinator", "agent"])
def test_a_cloud_is_upgraded_one_daemon_after_the_other(now, before, first):
    with MixedCloud(coordinator=before, agent=before) as cloud:
        server = cloud.create("kept")
        cloud.wait_status(server, "ACTIVE")
        steps = [lambda: cloud.upgrade_coordinator(now), lambda: cloud.upgrade_agent(now)]
        for step in steps if first == "coordinator" else reversed(steps):
            step()
            cloud.wait_status(server, "ACTIVE")
            cloud.live("beside it")
            cloud.act(server, {"reboot": {"type": "HARD"}}, "ACTIVE")
        cloud.delete(server)
