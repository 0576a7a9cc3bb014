"""packaging/quickstart: what it leaves behind it, and that it may be repeated."""
import time

from skerrylab.guest import ready_lines, ssh


def test_the_first_run_shows_a_ready_guest_and_where_the_credentials_are(cloud, demo):
    output = cloud.first_output
    (ready,) = ready_lines(output)
    assert ready.hostname == "first-guest"
    assert "Hello from first-guest" in output
    assert f"{cloud.clouds_file}" in output
    server = demo.compute.find_server("first-guest", ignore_missing=False)
    server = demo.compute.get_server(server)
    addresses = {entry["addr"] for entries in server.addresses.values() for entry in entries}
    assert set(ready.ipv4) | set(ready.ipv6) == addresses
    assert server.status == "ACTIVE"


def test_the_host_reaches_the_guest_over_both_families(cloud, demo, key):
    server = demo.compute.get_server(demo.compute.find_server("first-guest").id)
    for entry in server.addresses["external"]:
        assert ssh(entry["addr"], key, "hostname").strip() == "first-guest"


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
