"""Create to ACTIVE with simulated hosts; the baseline is a flavor created and shown, one plain write and read."""
import concurrent.futures
import statistics
import time

from cloud import Cloud, cpu_seconds


def measure():
    with Cloud(nodes=4) as cloud:
        cloud.seed()
        base = flavors(cloud, 50)
        yield {"what": "flavor create and show (baseline)", "median_ms": base * 1000}
        times = []
        before = cpu(cloud)
        for _ in range(50):
            start = time.monotonic()
            server = cloud.admin.call("POST", "/compute/v2.1/servers", cloud.server_body)["server"]["id"]
            wait(cloud, server)
            times.append(time.monotonic() - start)
        spent = (cpu(cloud) - before) / 50 * 1000
        yield {"what": "create to ACTIVE, one by one", "median_ms": statistics.median(times) * 1000, "cpu_ms": spent,
               "ratio_to_baseline": statistics.median(times) / base}
        remove(cloud)
        before = cpu(cloud)
        start = time.monotonic()
        create(cloud, 500)
        seconds = time.monotonic() - start
        yield {"what": "500 at once, all ACTIVE", "seconds": seconds, "cpu_ms": (cpu(cloud) - before) / 500 * 1000,
               "ratio_to_baseline": seconds / 500 / base}
        start = time.monotonic()
        remove(cloud)
        yield {"what": "the 500 deleted and gone", "seconds": time.monotonic() - start,
               "ratio_to_baseline": (time.monotonic() - start) / 500 / base}


def cpu(cloud):
    return cpu_seconds(cloud.coordinator) + cpu_seconds(cloud.agent)


def flavors(cloud, count):
    times = []
    for number in range(count):
        start = time.monotonic()
        made = cloud.admin.call("POST", "/compute/v2.1/flavors",
                                {"flavor": {"name": f"base-{number}", "ram": 64, "vcpus": 1, "disk": 1}})
        cloud.admin.call("GET", f"/compute/v2.1/flavors/{made['flavor']['id']}")
        times.append(time.monotonic() - start)
    return statistics.median(times)


def wait(cloud, server):
    for _ in range(20_000):
        status = cloud.admin.call("GET", f"/compute/v2.1/servers/{server}")["server"]["status"]
        if status == "ACTIVE":
            return
        if status == "ERROR":
            raise RuntimeError(f"server {server} is in ERROR")
    raise RuntimeError(f"server {server} did not become ACTIVE")


def create(cloud, count):
    """`count` servers from eight clients at once; returns when all servers there are ACTIVE."""
    if count <= 0:
        return
    before = len(listed(cloud, ""))

    def work(share):
        client = cloud.client(cloud.admin.token, keep=True)
        for _ in range(share):
            client.call("POST", "/compute/v2.1/servers", cloud.server_body)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        shares = [count // 8 + (1 if i < count % 8 else 0) for i in range(8)]
        list(pool.map(work, shares))
    deadline = time.monotonic() + 120
    while len(listed(cloud, "status=ACTIVE&")) < before + count:
        if time.monotonic() > deadline:
            raise RuntimeError("not all servers became ACTIVE")
        time.sleep(0.02)


def listed(cloud, query):
    return cloud.admin.call("GET", f"/compute/v2.1/servers?{query}limit=1000")["servers"]


def remove(cloud):
    for server in listed(cloud, ""):
        cloud.admin.call("DELETE", f"/compute/v2.1/servers/{server['id']}")
    deadline = time.monotonic() + 120
    while listed(cloud, ""):
        if time.monotonic() > deadline:
            raise RuntimeError("not all servers went away")
        time.sleep(0.02)
