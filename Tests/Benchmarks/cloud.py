"""A private coordinator with simulated hosts, and what one of its processes costs."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Support"))
from skerrylab import programs  # noqa: E402
from skerrylab.client import Client, by_password  # noqa: E402, F401
from skerrylab.private import PrivateCloud  # noqa: E402
from skerrylab.waiting import eventually  # noqa: E402


class Cloud(PrivateCloud):
    """With `admin`, a client that keeps its connection."""

    HOST_SIZE = {"vcpus": 1024, "memory_mib": 1048576, "disk_gib": 65536}

    def __init__(self, nodes=1, settings=None):
        # As it is unless an operator turns it off.
        metrics = {"listen": f"127.0.0.1:{programs.free_port()}"}
        super().__init__({"metrics": metrics, **(settings or {})}, hosts=nodes)

    def set_up(self):
        super().set_up()
        self.admin = self.client(keep=True)
        self.project = self.admin.log_in("admin", self.password, "admin")["project"]["id"]

        def up():
            services = self.admin.call("GET", "/compute/v2.1/os-services?binary=nova-compute")["services"]
            return sum(service["state"] == "up" for service in services) >= self.hosts

        eventually("the simulated hosts are up", up, 60, every=0.05)

    def log_in(self, user="admin", project="admin"):
        client = self.client(keep=True)
        client.log_in(user, self.password, project)
        return client

    def password_body(self):
        return by_password("admin", self.password, "admin")

    @property
    def database(self):
        return self.state / "skerry.db"

    def seed(self):
        """What a server needs: an image, a flavor, a network large enough for thousands."""
        a = self.admin
        a.call("PUT", "/compute/v2.1/os-quota-sets/" + self.project,
               {"quota_set": {"instances": -1, "cores": -1, "ram": -1}})
        a.call("PUT", "/network/v2.0/quotas/" + self.project, {"quota": {"port": -1}})
        image = a.call("POST", "/image/v2/images",
                       {"name": "bench", "disk_format": "raw", "container_format": "bare"})["id"]
        a.call("PUT", f"/image/v2/images/{image}/file", b"\0" * (1 << 20))
        flavor = a.call("POST", "/compute/v2.1/flavors",
                        {"flavor": {"name": "bench", "ram": 64, "vcpus": 1, "disk": 1}})["flavor"]["id"]
        network = a.call("POST", "/network/v2.0/networks", {"network": {"name": "bench"}})["network"]["id"]
        a.call("POST", "/network/v2.0/subnets", {"subnet": {
            "network_id": network, "ip_version": 4, "cidr": "10.64.0.0/16"}})
        self.server_body = {"server": {"name": "bench", "imageRef": image, "flavorRef": flavor,
                                       "networks": [{"uuid": network}]}}


def cpu_seconds(process):
    """User and system time of one process so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid):
    """Resident, proportional, and of the latter what is not backed by a file."""
    values = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        values[name.rstrip(":")] = int(value)
    return {"resident": values["Rss"], "proportional": values["Pss"],
            "anonymous": values.get("Pss_Anon", values["Anonymous"]) + values.get("Pss_Shmem", 0)}
