"""quickstart --stop and --purge: the last word on this host, so this file runs last."""

import re

from conftest import OURS
from skerrylab.waiting import eventually


def processes(cloud, strangers):
    return set(cloud.host.run("pgrep", "-a", OURS, check=False).splitlines()) - strangers


def test_stop_ends_all_and_a_later_run_brings_the_guest_back(cloud, demo, strangers):
    server = demo.compute.find_server("first-guest")
    cloud.quickstart("--stop")
    assert cloud.pid("coordinator") is None and cloud.pid("agent") is None
    assert processes(cloud, strangers) == set()
    assert "not running" in cloud.quickstart("--status", check=False)
    cloud.quickstart()
    eventually("the guest runs again", lambda: cloud.qemu_pid(server.id), 60)


def test_an_empty_cloud_gets_its_demo_later_and_keeps_it(cloud):
    cloud.quickstart("--purge")
    configuration = cloud.prefix / "etc" / "agent.yaml"
    cloud.quickstart("--no-demo")
    assert "physical_networks: {}" in configuration.read_text()
    # Its first guest hangs on the physical network that the agent did not have until now.
    assert "SKERRY-GUEST-READY" in cloud.quickstart()
    cloud.quickstart("--no-demo")
    assert "physical_networks: {external: skerry-ext0}" in configuration.read_text()


def test_purge_leaves_nothing(cloud, strangers):
    output = cloud.quickstart("--purge")
    assert "removed" in output
    assert not cloud.prefix.exists()
    assert processes(cloud, strangers) == set()
    host = cloud.host
    names = {line.split(":")[1].split("@")[0].strip() for line in host.run("ip", "-o", "link").splitlines()}
    assert names == {"lo", "link0", "flat0"}
    assert host.run("ip", "netns", "list") == ""
    for table in ("iptables", "ip6tables"):
        saved = host.run(f"{table}-save")
        assert "skerry" not in saved and "sk-" not in saved
    assert host.run("ipset", "list", "-name") == ""


def test_the_systems_folders_stayed_untouched(cloud):
    # What is installed or moved may keep an older time, but not as the time of its inode. Other programs of the machine
    # may write there meanwhile, under names of their own.
    younger = ["(", "-newer", cloud.began, "-o", "-cnewer", cloud.began, ")", "-print"]
    told = cloud.host.run("find", "/etc", "/var", "/usr/local/bin", "-ignore_readdir_race", *younger).splitlines()
    assert [path for path in told if re.search("skerry|libvirt|qemu|dnsmasq|apparmor", path)] == []
