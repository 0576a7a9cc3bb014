"""packaging/quickstart: what it leaves behind it, and that it may be repeated."""
import os
import pathlib
import re
import subprocess
import sys
import time

from skerrylab.cloud import PACKAGING
from skerrylab.guest import ready_lines, ssh
from skerrylab.leftovers import difference, snapshot


def test_the_first_run_shows_a_ready_guest_and_where_the_credentials_are(cloud, demo):
    output = cloud.first_output
    (ready,) = ready_lines(output)
    assert ready.hostname == "first-guest"
    assert "Hello from first-guest" in output
    assert f"{cloud.clouds_file}" in output
    server = demo.compute.find_server("first-guest", ignore_missing=False)
    server = demo.compute.get_server(server)
    entries = [entry for entries in server.addresses.values() for entry in entries]
    fixed, floating = [[entry["addr"] for entry in entries if entry["OS-EXT-IPS:type"] == kind]
                       for kind in ("fixed", "floating")]
    assert ready.ipv4 == fixed and not ready.ipv6 and len(floating) == 1
    assert f"root@{floating[0]}" in output
    assert server.status == "ACTIVE"


def test_the_printed_command_boots_another_guest_that_answers_over_both_families(cloud, demo, key, clean):
    (command,) = re.findall(r"Boot another guest.*\n  (.*)\n", cloud.first_output)
    programs = pathlib.Path(sys.executable).parent
    subprocess.run(
        command, shell=True, check=True, timeout=120, stdout=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"})
    server = demo.compute.get_server(demo.compute.find_server("second-guest", ignore_missing=False))
    try:
        assert server.status == "ACTIVE" and cloud.qemu_pid(server.id)
        for entry in server.addresses["external"]:
            assert ssh(entry["addr"], key, "hostname", seconds=90).strip() == "second-guest"
    finally:
        demo.compute.delete_server(server)
        demo.compute.wait_for_delete(server, wait=60)


def test_all_failed_checks_are_told_at_once_and_nothing_is_changed(cloud, folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    prefix = closed / "no good" / ("x" * 70)
    before = snapshot(cloud)
    done = subprocess.run(
        cloud.host.command(PACKAGING / "quickstart", "--prefix", prefix), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, env=cloud.environment())
    assert done.returncode == 1, done.stdout
    told = re.findall(r"^  - (.*)\n      remedy: (.*)$", done.stdout, re.MULTILINE)
    assert f"{len(told)} check(s) failed, nothing was changed" in done.stdout
    expected = [
        ("has characters other than", "choose another --prefix"),
        ("is longer than 70 bytes", "choose a shorter --prefix"),
        (f"others may not enter {closed}", f"chmod o+x {closed}"),
        # The cloud that runs here holds the ports.
        (f"TCP port 8700 is taken by {cloud.prefix}/bin/skerry-coordinator", "quickstart --stop"),
        (f"TCP port 8703 is taken by {cloud.prefix}/bin/skerry-agent", "quickstart --stop"),
    ]
    for problem, remedy in expected:
        assert [True for what, how in told if problem in what and remedy in how], (problem, done.stdout)
    assert list(closed.iterdir()) == []
    assert difference(before, snapshot(cloud)) == {}


def test_the_printed_command_reaches_the_first_guest(cloud):
    (command,) = re.findall(r"^  (ssh -i \S+ root@[0-9.]+)$", cloud.first_output, re.MULTILINE)
    options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes"
    said = subprocess.run(f"{command} {options} hostname", shell=True, check=True, timeout=60, stdout=subprocess.PIPE)
    assert said.stdout.decode().strip() == "first-guest"


def test_a_second_run_keeps_everything_and_is_quick(cloud, demo):
    before = demo.compute.find_server("first-guest").id, cloud.pid("agent"), cloud.pid("coordinator")
    began = time.monotonic()
    cloud.quickstart()
    assert time.monotonic() - began < 60
    assert (demo.compute.find_server("first-guest").id, cloud.pid("agent"), cloud.pid("coordinator")) == before


def test_status_says_what_runs(cloud):
    output = cloud.quickstart("--status")
    assert "coordinator: running" in output and "agent: running" in output
    assert "lab1" in output


def test_the_key_that_seals_the_databases_keys_is_a_private_file(cloud):
    key = cloud.state / "coordinator" / "keys" / "sealing.key"
    assert key.stat().st_mode & 0o777 == 0o600 and key.parent.stat().st_mode & 0o777 == 0o700
    assert len(bytes.fromhex(key.read_text())) == 32
