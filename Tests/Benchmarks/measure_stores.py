"""The same on both engines: writes, server creates, pages of lists, token validation. The baseline is SQLite.

Both reach the disk before they acknowledge. The server of PostgreSQL is one of its own on this machine; what it costs in
processor time is beside what the coordinator does.
"""
import contextlib
import pathlib
import statistics
import subprocess
import time

import measure_servers
from cloud import Cloud
from wrk import load

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "lib" / "private-postgres"


def measure():
    base = {}
    for engine in ("SQLite", "PostgreSQL"):
        with database(engine) as settings, Cloud(nodes=4, settings=settings) as cloud:
            cloud.seed()
            for name, row in figures(cloud):
                unit = "seconds" if "seconds" in row else "median_ms"
                base.setdefault(name, row[unit])
                yield {"what": f"{name}, {engine}", **row, "ratio_to_sqlite": row[unit] / base[name]}


@contextlib.contextmanager
def database(engine):
    """Settings of a coordinator with an empty database of that engine."""
    if engine == "SQLite":
        yield {}
        return
    # It ends with its input.
    server = subprocess.Popen(
        [SCRIPT, "--durable", "bash", "-c", 'echo "$SKERRY_TEST_STORE_URL"; exec cat'],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip()
        if not url:
            raise RuntimeError("the server of PostgreSQL did not start")
        yield {"store": {"url": url}}
    finally:
        server.stdin.close()
        server.wait(60)


def figures(cloud):
    yield "flavor create and show", {"median_ms": measure_servers.flavors(cloud, 100) * 1000}
    start = time.monotonic()
    measure_servers.create(cloud, 300)
    seconds = time.monotonic() - start
    yield "300 servers at once, all ACTIVE", {"seconds": seconds, "per_second": 300 / seconds}
    path = "/compute/v2.1/servers?limit=100"
    yield "first page of 100 servers", load(cloud, path, cloud.admin.token, connections=4)
    path = "/network/v2.0/ports?limit=100"
    yield "first page of 100 ports", load(cloud, path, cloud.admin.token, connections=4)
    subject = {"X-Subject-Token": cloud.admin.token}
    yield "validation of a token", load(cloud, "/identity/v3/auth/tokens", cloud.admin.token, subject, connections=32)
    yield "one server shown", {"median_ms": shown(cloud) * 1000}


def shown(cloud):
    """Seconds for one answer, one after the other."""
    server = measure_servers.listed(cloud, "")[0]["id"]
    times = []
    for _ in range(200):
        start = time.monotonic()
        cloud.admin.call("GET", f"/compute/v2.1/servers/{server}")
        times.append(time.monotonic() - start)
    return statistics.median(times)
