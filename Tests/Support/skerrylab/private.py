"""A cloud for one test run: a fresh coordinator, and simulated hosts if wanted, on loopback in a folder of its own."""
import json
import pathlib
import secrets
import shutil
import socket
import tempfile

from . import programs
from .client import Client
from .waiting import eventually


class PrivateCloud:
    """To be used in a `with`: what it started ends and what it wrote goes when the block is left.

    `settings` goes on top of the coordinator's configuration. `hosts` simulated hosts join when it is above zero, and
    with `objects` one that serves objects. Without `tls` the API is plain HTTP.
    """

    HOST_SIZE = {"vcpus": 64, "memory_mib": 262144, "disk_gib": 4096}

    def __init__(self, settings=None, hosts=0, tls=True, objects=False):
        self.port, self.agent_port, self.object_port, self.console_port = (programs.free_port() for _ in range(4))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="skerry-private-"))
        self.state = self.folder / "coordinator"
        self.socket = self.folder / "coordinator.sock"
        self.configuration = self.folder / "coordinator.yaml"
        self.tls = tls
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.identity_url = f"{self.url}/identity/v3"
        self.certificate = self.state / "ca" / "ca.crt"
        self.password = secrets.token_hex(12)
        self.hosts = hosts
        self.objects = objects
        self.object_url = f"https://127.0.0.1:{self.object_port}"
        self.coordinator = self.agent = self.object_agent = None
        self.configure(settings)

    def __enter__(self):
        try:
            self.set_up()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.check()
        finally:
            stubborn = self.stop()
        assert kind or not stubborn, f"did not end when asked to, and had to be killed: {', '.join(stubborn)}"

    def environment(self, user="admin", password=None, project="admin"):
        """OS_* variables for clients, by which the cloud's certificate is checked too."""
        return {
            "OS_AUTH_URL": self.identity_url, "OS_IDENTITY_API_VERSION": "3", "OS_REGION_NAME": "RegionOne",
            "OS_USERNAME": user, "OS_PASSWORD": password or self.password, "OS_PROJECT_NAME": project,
            "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default", "OS_CACERT": str(self.certificate)}

    def client(self, token=None, **options):
        return Client(self.port, self.certificate if self.tls else None, token, **options)

    # Set-up

    def configure(self, settings=None):
        """Writes the configuration that the coordinator reads at its next start."""
        # JSON is YAML.
        self.configuration.write_text(json.dumps({
            "state_directory": str(self.state),
            "api": {"listen": f"127.0.0.1:{self.port}", "tls": self.tls},
            "agents": {"listen": f"127.0.0.1:{self.agent_port}"},
            "socket": str(self.socket),
            "object_storage": {"endpoint": self.object_url if self.objects else "none"},
            "console": {"listen": f"127.0.0.1:{self.console_port}", "novnc_folder": str(programs.novnc_folder())},
            "metrics": {"listen": "none"}, **(settings or {})}, indent=1))

    def set_up(self):
        self.initialize()
        self.start_coordinator()
        if self.hosts:
            self.start_hosts()
        if self.objects:
            self.start_objects()

    def initialize(self):
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        programs.run(
            "skerry-coordinator", "init", "--config", self.configuration, "--admin-password-file", password)

    def start_coordinator(self):
        self.coordinator = self.spawn("skerry-coordinator", "run", "--config", self.configuration)
        eventually("the coordinator takes connections", self.answers, 60, every=0.02)

    def start_hosts(self):
        configuration = self.folder / "agent.yaml"
        configuration.write_text(json.dumps({
            "state_directory": str(self.folder / "agent"), "coordinator": f"127.0.0.1:{self.agent_port}",
            "name": "simulated", "roles": ["compute", "network", "storage"], "driver": "simulated",
            "simulated": {"nodes": self.hosts, **self.HOST_SIZE},
            # Documentation's addresses: several hosts reach each other's volumes by name only.
            **({"network": {"tunnel_address": "192.0.2.1"}} if self.hosts > 1 else {}),
            "metrics": {"listen": "none"}}, indent=1))
        self.join(configuration, self.hosts)
        self.agent = self.spawn("skerry-agent", "run", "--config", configuration)

    def start_objects(self):
        """A real agent, which needs no hypervisor for that."""
        configuration = self.folder / "objects.yaml"
        configuration.write_text(json.dumps({
            "state_directory": str(self.folder / "objects"), "coordinator": f"127.0.0.1:{self.agent_port}",
            "name": "objects", "roles": ["object"], "object": {"listen": f"127.0.0.1:{self.object_port}"},
            "metrics": {"listen": "none"}}, indent=1))
        self.join(configuration, 1)
        self.object_agent = programs.spawn(
            self.folder / "objects.log", "skerry-agent", "run", "--config", configuration)
        eventually("objects are served", lambda: self.answers(self.object_port), 60, every=0.05)

    def join(self, configuration, uses):
        token = programs.run("skerry", "node", "token", "--uses", uses, "--socket", self.socket).strip()
        programs.run(
            "skerry-agent", "join", "--config", configuration, "--coordinator", f"127.0.0.1:{self.agent_port}",
            "--token", token)

    def spawn(self, program, *arguments):
        return programs.spawn(self.folder / f"{program}.log", program, *arguments)

    # Daemons

    def running(self):
        """By name, in the order of their start."""
        found = {"skerry-coordinator": self.coordinator, "skerry-agent": self.agent, "objects": self.object_agent}
        return {program: process for program, process in found.items() if process}

    def check(self):
        """Fails when a daemon has ended by itself, with the end of its log."""
        for program, process in self.running().items():
            assert process.poll() is None, f"{program} ended with {process.returncode}:\n{self.log(program)[-4000:]}"

    def answers(self, port=None):
        self.check()
        try:
            socket.create_connection(("127.0.0.1", port or self.port), 1).close()
            return True
        except OSError:
            return False

    def log(self, program):
        return (self.folder / f"{program}.log").read_text(errors="replace")

    def stop_coordinator(self):
        process, self.coordinator = self.coordinator, None
        assert programs.end(process), "the coordinator did not end when asked to"

    def kill_coordinator(self):
        """kill -9."""
        process, self.coordinator = self.coordinator, None
        process.kill()
        process.wait()

    def stop(self):
        """Ends and removes everything. Gives the names of the daemons that had to be killed."""
        stubborn = [
            program for program, process in reversed(self.running().items()) if not programs.end(process)]
        self.coordinator = self.agent = self.object_agent = None
        shutil.rmtree(self.folder, ignore_errors=True)
        return stubborn
