"""A cloud that packaging/quickstart made on a lab host: its daemons and its clients."""
import http.client
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys

import openstack

from .programs import REPOSITORY, binaries
from .waiting import eventually

PACKAGING = REPOSITORY / "packaging"
GUEST_IMAGE = REPOSITORY / ".build-release" / "skerry-test.qcow2"
PARTS = ("output", "apt", "packages", "layout", "process", "preflight", "build", "libvirt", "clouds", "daemons",
         "leftovers")
METRICS_PORTS = {"coordinator": 8702, "agent": 8703}


class Cloud:
    """One prefix on one host: with coordinator and agent, or an agent alone."""

    def __init__(self, host, prefix):
        self.host = host
        self.prefix = pathlib.Path(prefix)
        self.state = self.prefix / "state"
        self.clouds_file = self.prefix / "clouds.yaml"

    # Daemons

    def quickstart(self, *arguments, check=True, timeout=600):
        return self.host.run(
            PACKAGING / "quickstart", "--prefix", self.prefix, *arguments, check=check, timeout=timeout,
            env=self.environment())

    def packaging(self, script, timeout=120):
        """Runs a piece of shell with quickstart's own functions and variables."""
        sources = "; ".join(f". lib/{part}.sh" for part in PARTS)
        text = f"set -euo pipefail; cd {PACKAGING}; repository={REPOSITORY}; {sources}; layout {self.prefix}; {script}"
        return self.host.run("bash", "-c", text, timeout=timeout, env=self.environment())

    @staticmethod
    def environment():
        return {**os.environ, "SKERRY_BINARIES": str(binaries())}

    def pid(self, daemon):
        """The pid of "coordinator", "agent" or "libvirtd" as the host counts them; None when it does not run."""
        text = self.packaging(f"process_pid $run_dir/{daemon}.pid || true").strip()
        return int(text) if text else None

    def start(self, daemon):
        self.packaging(f"daemon_start {daemon}")
        if daemon == "coordinator":
            self.packaging("wait_for 20 coordinator coordinator_answers")

    def kill(self, daemon):
        """kill -9."""
        pid = self.pid(daemon)
        assert pid, f"{daemon} does not run"
        self.host.run("kill", f"-{signal.SIGKILL.value}", pid)
        eventually(f"{daemon} is dead", lambda: self.pid(daemon) is None, 10, every=0.05)

    def stop(self, daemon):
        self.packaging(f"process_stop $run_dir/{daemon}.pid {daemon} 20")

    def log(self, daemon):
        return (self.prefix / "log" / f"{daemon}.log").read_text(errors="replace")

    def metrics(self, daemon):
        """What the daemon says at /metrics: numbers by name, with the labels as they are written."""
        connection = http.client.HTTPConnection("127.0.0.1", METRICS_PORTS[daemon], timeout=10)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.status == 200, f"/metrics of {daemon}: {answer.status}"
        lines = [line for line in answer.read().decode().splitlines() if line and not line.startswith("#")]
        connection.close()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    # Clients

    def skerry(self, *arguments):
        """The operator's command."""
        return self.packaging(f'"$bin_dir/skerry" {shlex.join(arguments)} --socket "$operator_socket"')

    def openstack(self, *arguments, cloud="demo", timeout=300):
        """The unmodified `openstack` command. Its answer is parsed when `-f json` is among the arguments."""
        program = pathlib.Path(sys.executable).with_name("openstack")
        environment = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(self.clouds_file), "OS_CLOUD": cloud}
        output = subprocess.run(
            [program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
            env=environment)
        assert output.returncode == 0, f"openstack {' '.join(map(str, arguments))}:\n{output.stdout}{output.stderr}"
        return json.loads(output.stdout) if "json" in arguments else output.stdout

    def sdk(self, cloud="demo"):
        config = openstack.config.OpenStackConfig(config_files=[str(self.clouds_file)])
        return openstack.connection.Connection(config=config.get_one(cloud=cloud))

    # The host's own view

    def virsh(self, *arguments):
        uri = f"qemu+unix:///system?socket={self.prefix}/libvirt/run/libvirt-sock"
        return self.host.run("virsh", "-q", "-c", uri, *arguments)

    def qemu_pid(self, server_id):
        """The QEMU process of a running server, by its UUID on the command line; None when there is none."""
        text = self.host.run("pgrep", "-f", f"qemu-system.* -uuid {server_id}", check=False).split()
        return int(text[0]) if text else None

    def console(self, server_id):
        """The console log as it lies on the host, for when no API answers."""
        folder = self.state / "agent" / "instances" / server_id
        logs = sorted(folder.glob("console*"))
        return "".join(log.read_text(errors="replace") for log in reversed(logs))
