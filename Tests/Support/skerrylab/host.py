"""A lab host: its own network, mounts, processes and host name on the machine the tests run on."""
import ctypes
import os
import signal
import subprocess

CLONE_NEWNET = 0x40000000

# Becomes process 1 of the host, and reaps what its daemons leave. A fresh /run keeps network namespaces and sockets
# apart, a fresh /sys shows the host's own interfaces.
INIT = """
mount --make-rprivate / && mount -t tmpfs -o mode=755 run /run && mkdir -p /run/lock && umount -R -l /sys && mount -t sysfs sys /sys \
    && hostname "$1" && ip link set lo up && echo ready
while :; do sleep 1000 & wait $!; done
"""


class LabHost:
    def __init__(self, name):
        self.name = name
        # The death signal reaches only the direct child; --kill-child passes it on to process 1, and its end ends all.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "unshare", "--net", "--mount", "--uts", "--pid", "--ipc", "--fork",
             "--kill-child", "--mount-proc", "bash", "-c", INIT, "bash", name],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"lab host {name} did not start: are these tests run as root?")
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(children) as file:
            self.pid = int(file.read().split()[0])

    def command(self, *arguments):
        return ["nsenter", "--target", str(self.pid), "--net", "--mount", "--uts", "--pid", "--ipc", "--",
                *map(str, arguments)]

    def run(self, *arguments, check=True, timeout=120, **options):
        """Runs a command on the host and returns what it printed; its errors go into the failure."""
        done = subprocess.run(
            self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
            stdin=options.pop("stdin", subprocess.DEVNULL), **options)
        if check and done.returncode != 0:
            raise AssertionError(
                f"on {self.name}: {' '.join(map(str, arguments))}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def succeeds(self, *arguments, timeout=60):
        return subprocess.run(
            self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=timeout).returncode == 0

    def enter_network(self):
        """Moves this test process into the host's network, so that clients in it reach the host's loopback."""
        with open(f"/proc/{self.pid}/ns/net") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def close(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(timeout=20)
        self.process.stdout.close()


def cable(first, first_name, second, second_name):
    """Joins two hosts by a veth pair and takes both ends up."""
    subprocess.run(
        ["ip", "link", "add", first_name, "netns", str(first.pid), "type", "veth", "peer", "name", second_name,
         "netns", str(second.pid)], check=True)
    first.run("ip", "link", "set", first_name, "up")
    second.run("ip", "link", "set", second_name, "up")
