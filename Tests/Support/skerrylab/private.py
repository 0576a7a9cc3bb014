"""A cloud for one test run: a fresh coordinator, and simulated hosts if wanted, on loopback in a folder of its own."""
import ctypes
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile

from .waiting import eventually

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PR_SET_PDEATHSIG = 1


def binaries():
    """The folder with the compiled programs: SKERRY_BINARIES, or the release build."""
    return pathlib.Path(os.environ.get("SKERRY_BINARIES") or REPOSITORY / ".build-release" / "release")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    """For a child between fork and exec: it ends when the program that started it ends, however that happens."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class PrivateCloud:
    """To be used in a `with`: what it started ends and what it wrote goes when the block is left.

    `settings` goes on top of the coordinator's configuration. `hosts` simulated hosts join when it is above zero.
    """

    def __init__(self, settings=None, hosts=0):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="skerry-private-"))
        self.port, self.agent_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.identity_url = f"{self.url}/identity/v3"
        self.certificate = self.folder / "coordinator" / "ca" / "ca.crt"
        self.password = secrets.token_hex(12)
        self.settings = settings or {}
        self.hosts = hosts
        self.processes = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def environment(self, user="admin", password=None, project="admin"):
        """OS_* variables for clients, by which the cloud's certificate is checked too."""
        return {
            "OS_AUTH_URL": self.identity_url, "OS_IDENTITY_API_VERSION": "3", "OS_REGION_NAME": "RegionOne",
            "OS_USERNAME": user, "OS_PASSWORD": password or self.password, "OS_PROJECT_NAME": project,
            "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default", "OS_CACERT": str(self.certificate)}

    def start(self):
        configuration = self.folder / "coordinator.yaml"
        # JSON is YAML.
        configuration.write_text(json.dumps({
            "state_directory": str(self.folder / "coordinator"),
            "api": {"listen": f"127.0.0.1:{self.port}", "tls": True},
            "agents": {"listen": f"127.0.0.1:{self.agent_port}"},
            "socket": str(self.folder / "coordinator.sock"),
            "metrics": {"listen": "none"}, **self.settings}, indent=1))
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        self.run("skerry-coordinator", "init", "--config", configuration, "--admin-password-file", password)
        self.coordinator = self.spawn("skerry-coordinator", "run", "--config", configuration)
        eventually("the coordinator takes connections", self.answers, 30, every=0.05)
        if self.hosts:
            self.start_hosts()

    def start_hosts(self):
        configuration = self.folder / "agent.yaml"
        configuration.write_text(json.dumps({
            "state_directory": str(self.folder / "agent"), "coordinator": f"127.0.0.1:{self.agent_port}",
            "name": "simulated", "roles": ["compute", "network", "storage"], "driver": "simulated",
            "simulated": {"nodes": self.hosts, "vcpus": 64, "memory_mib": 262144, "disk_gib": 4096},
            "metrics": {"listen": "none"}}, indent=1))
        operator = ("--socket", self.folder / "coordinator.sock")
        token = self.run("skerry", "node", "token", "--uses", self.hosts, *operator).strip()
        self.run("skerry-agent", "join", "--config", configuration, "--coordinator", f"127.0.0.1:{self.agent_port}",
                 "--token", token)
        self.agent = self.spawn("skerry-agent", "run", "--config", configuration)

    def check(self):
        """Fails when a daemon has ended by itself, with the end of its log."""
        for process in self.processes:
            program = pathlib.Path(process.args[0]).name
            assert process.poll() is None, f"{program} ended with {process.returncode}:\n{self.log(program)[-4000:]}"

    def answers(self):
        self.check()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def run(self, program, *arguments):
        done = subprocess.run([binaries() / program, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{program} {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def spawn(self, program, *arguments):
        with open(self.folder / f"{program}.log", "a") as log:
            process = subprocess.Popen(
                [binaries() / program, *map(str, arguments)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent)
        self.processes.append(process)
        return process

    def log(self, program):
        return (self.folder / f"{program}.log").read_text(errors="replace")

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
