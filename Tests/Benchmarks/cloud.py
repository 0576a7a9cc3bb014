"""A private coordinator with one simulated host, on loopback, in a folder of its own."""
import json
import os
import pathlib
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import http.client

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Support"))
from skerrylab.private import binaries, die_with_parent, free_port  # noqa: E402


class Client:
    """One keep-alive connection with a token."""

    def __init__(self, cloud, token=None):
        self.cloud = cloud
        self.token = token
        self.connection = http.client.HTTPSConnection("127.0.0.1", cloud.api_port, context=cloud.tls, timeout=60)

    def call(self, method, path, body=None, headers=None, expect=(200, 201, 202, 204)):
        headers = dict(headers or {})
        if self.token:
            headers["X-Auth-Token"] = self.token
        data = body
        if isinstance(body, (dict, list)):
            data = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        self.connection.request(method, path, body=data, headers=headers)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status not in expect:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:500]!r}")
        self.headers = response.headers
        return json.loads(answer) if answer and answer[:1] in b"{[" else answer


class Cloud:
    def __init__(self, nodes=1):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="skerry-bench-"))
        self.api_port, self.agent_port, self.metrics_port = free_port(), free_port(), free_port()
        self.password = secrets.token_hex(12)
        self.nodes = nodes
        self.processes = []
        self.coordinator = self.agent = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        d = self.directory
        (d / "password").write_text(self.password)
        (d / "coordinator.yaml").write_text(
            f"state_directory: {d}/coordinator\n"
            f"api: {{listen: '127.0.0.1:{self.api_port}', tls: true}}\n"
            f"agents: {{listen: '127.0.0.1:{self.agent_port}'}}\n"
            f"socket: {d}/coordinator.sock\n"
            f"metrics: {{listen: '127.0.0.1:{self.metrics_port}'}}\n")
        (d / "agent.yaml").write_text(
            f"state_directory: {d}/agent\n"
            f"coordinator: 127.0.0.1:{self.agent_port}\n"
            "name: bench\nroles: [compute, network, storage]\ndriver: simulated\n"
            f"simulated: {{nodes: {self.nodes}, vcpus: 1024, memory_mib: 1048576, disk_gib: 65536}}\n"
            "metrics: {listen: none}\n")
        self.run("skerry-coordinator", "init", "--config", d / "coordinator.yaml",
                 "--admin-password-file", d / "password")
        self.tls = ssl.create_default_context(cafile=str(d / "coordinator" / "ca" / "ca.crt"))
        self.start_coordinator()
        token = self.run("skerry", "node", "token", "--uses", str(max(1, self.nodes)),
                         "--socket", d / "coordinator.sock").strip()
        self.run("skerry-agent", "join", "--config", d / "agent.yaml",
                 "--coordinator", f"127.0.0.1:{self.agent_port}", "--token", token)
        self.agent = self.spawn("skerry-agent", "run", "--config", d / "agent.yaml")
        self.admin = Client(self, self.issue_token())
        deadline = time.monotonic() + 30
        while True:
            services = self.admin.call("GET", "/compute/v2.1/os-services?binary=nova-compute")["services"]
            if sum(s["state"] == "up" for s in services) >= self.nodes:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"the simulated hosts did not come up: {services}")
            time.sleep(0.05)

    def start_coordinator(self):
        self.coordinator = self.spawn("skerry-coordinator", "run", "--config",
                                      self.directory / "coordinator.yaml")
        self.wait_for_port(self.api_port)

    def stop_coordinator(self):
        """For who changes its database; clients and tokens of before are of no use afterwards."""
        self.processes.remove(self.coordinator)
        end(self.coordinator)

    @property
    def database(self):
        return self.directory / "coordinator" / "skerry.db"

    def run(self, program, *arguments):
        done = subprocess.run([binaries() / program, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{program} {arguments}: {done.stderr}")
        return done.stdout

    def spawn(self, program, *arguments):
        log = open(self.directory / f"{program}.log", "a")
        process = subprocess.Popen([binaries() / program, *map(str, arguments)], stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.processes.append(process)
        return process

    def wait_for_port(self, port):
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if any(p.poll() is not None for p in self.processes):
                    break
                time.sleep(0.02)
        raise RuntimeError("the coordinator did not start:\n" + self.log("skerry-coordinator"))

    def log(self, program):
        return (self.directory / f"{program}.log").read_text()[-4000:]

    def issue_token(self, user="admin", project="admin"):
        client = Client(self)
        client.call("POST", "/identity/v3/auth/tokens", self.password_body(user, project))
        return client.headers["X-Subject-Token"]

    def password_body(self, user="admin", project="admin"):
        user = {"name": user, "domain": {"id": "default"}, "password": self.password}
        return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}},
                         "scope": {"project": {"name": project, "domain": {"id": "default"}}}}}

    def seed(self):
        """What a server needs: an image, a flavor, a network large enough for thousands."""
        a = self.admin
        a.call("PUT", "/compute/v2.1/os-quota-sets/" + self.project(),
               {"quota_set": {"instances": -1, "cores": -1, "ram": -1}})
        a.call("PUT", "/network/v2.0/quotas/" + self.project(), {"quota": {"port": -1}})
        image = a.call("POST", "/image/v2/images",
                       {"name": "bench", "disk_format": "raw", "container_format": "bare"})["id"]
        a.call("PUT", f"/image/v2/images/{image}/file", b"\0" * (1 << 20),
               headers={"Content-Type": "application/octet-stream"})
        flavor = a.call("POST", "/compute/v2.1/flavors",
                        {"flavor": {"name": "bench", "ram": 64, "vcpus": 1, "disk": 1}})["flavor"]["id"]
        network = a.call("POST", "/network/v2.0/networks", {"network": {"name": "bench"}})["network"]["id"]
        a.call("POST", "/network/v2.0/subnets", {"subnet": {
            "network_id": network, "ip_version": 4, "cidr": "10.64.0.0/16"}})
        self.server_body = {"server": {"name": "bench", "imageRef": image, "flavorRef": flavor,
                                       "networks": [{"uuid": network}]}}

    def project(self):
        return self.admin.call("GET", "/identity/v3/auth/tokens",
                               headers={"X-Subject-Token": self.admin.token})["token"]["project"]["id"]

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            end(process)
        shutil.rmtree(self.directory, ignore_errors=True)


def end(process):
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


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
