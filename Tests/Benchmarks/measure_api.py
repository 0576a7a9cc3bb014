"""Requests per second and CPU per request; the baseline is the version document, the least a request can cost."""
from cloud import Cloud
from measure_servers import create
from wrk import load


def measure():
    with Cloud() as cloud:
        cloud.seed()
        token = cloud.admin.token
        base = load(cloud, "/compute/v2.1/")

        def row(what, result):
            return {"what": what, **result, "ratio_cpu_to_baseline": result["cpu_ms"] / base["cpu_ms"]}

        yield row("version document (baseline)", base)
        for count in (0, 100, 1000):
            create(cloud, count - len(servers(cloud)))
            yield row(f"detail of {count} servers", load(cloud, "/compute/v2.1/servers/detail", token, connections=8))


def servers(cloud):
    return cloud.admin.call("GET", "/compute/v2.1/servers?limit=1000")["servers"]
