"""What a create costs at 10, 100 and 1,000 simulated hosts; 1,000 agents at rest; the scheduler beside a plain loop.

The baseline of the creates is 10 hosts in the same run. While they are made no host may be suspected, and none of the
servers may end in ERROR.
"""
import concurrent.futures
import json
import os
import time

from cloud import Cloud, cpu_seconds, eventually, memory_kib, programs

SERVERS = int(os.environ.get("SKERRY_SCALE_SERVERS", "2000"))
HOSTS = [int(count) for count in os.environ.get("SKERRY_SCALE_HOSTS", "10,100,1000").split(",")]
CLIENTS = 8
REST_SECONDS = 60


def measure():
    for hosts in (1_000, 10_000, 100_000):
        row = json.loads(programs.run("skerry-coordinator", "measure-scheduler", "--hosts", hosts))
        yield {"what": f"decisions of the scheduler, {hosts} hosts", "per_second": row["decisions_per_second"],
               "plain_loop_per_second": row["plain_loop_per_second"],
               "ratio_to_plain_loop": row["plain_loop_per_second"] / row["decisions_per_second"]}
    base = None
    for hosts in HOSTS:
        with Cloud(nodes=hosts) as cloud:
            cloud.seed()
            if hosts >= 1_000:
                yield at_rest(cloud)
            row = creates(cloud)
            base = base or row["cpu_ms"]
            yield {"what": f"creates at {hosts} hosts, {CLIENTS} clients", **row,
                   "ratio_cpu_to_baseline": row["cpu_ms"] / base}


def at_rest(cloud):
    time.sleep(20)
    before = cpu_seconds(cloud.coordinator)
    time.sleep(REST_SECONDS)
    busy = (cpu_seconds(cloud.coordinator) - before) / REST_SECONDS * 100
    memory = memory_kib(cloud.coordinator.pid)
    check_health(cloud)
    return {"what": f"coordinator with {cloud.hosts} agents at rest", "cpu_percent": busy,
            **{f"{name}_mib": value / 1024 for name, value in memory.items()}}


def creates(cloud):
    def work(share):
        client = cloud.client(cloud.admin.token, keep=True)
        for _ in range(share):
            client.call("POST", "/compute/v2.1/servers", cloud.server_body)

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        before, start = cpu_seconds(cloud.coordinator), time.monotonic()
        list(pool.map(work, [SERVERS // CLIENTS] * CLIENTS))
        seconds, spent = time.monotonic() - start, cpu_seconds(cloud.coordinator) - before
        # What follows a create belongs to it: the plan's delivery and what the agents say.
        eventually("all servers are ACTIVE or in ERROR", lambda: not listed(cloud, "BUILD"), 180, every=0.5)
        whole = cpu_seconds(cloud.coordinator) - before
    count = SERVERS // CLIENTS * CLIENTS
    failed = len(listed(cloud, "ERROR"))
    if failed:
        raise RuntimeError(f"{failed} of {count} servers are in ERROR")
    check_health(cloud)
    return {"accepted_per_second": count / seconds, "cpu_ms": spent / count * 1000,
            "cpu_ms_until_active": whole / count * 1000}


def listed(cloud, status):
    # Not by the administrator's connection: one that was idle for as long as all this takes was closed.
    return cloud.client(cloud.admin.token).call("GET", f"/compute/v2.1/servers?status={status}&limit=1000")["servers"]


def check_health(cloud):
    """The coordinator tells each verdict: one that is not "up" was spoken over a host that was there all the time."""
    wrong = [line for line in cloud.log("skerry-coordinator").splitlines()
             if "node is suspect" in line or "node is down" in line]
    if wrong:
        raise RuntimeError(f"{len(wrong)} verdicts over hosts that were there: {wrong[:3]}")
