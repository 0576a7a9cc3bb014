"""The test guest, as its console and ssh show it."""
import re
import subprocess

from .waiting import eventually

READY = re.compile(
    r"SKERRY-GUEST-READY hostname=(\S*) ipv4=(\S*) ipv6=(\S*) metadata=(\S+) ssh=(\S+)")


class Ready:
    """One ready line."""

    def __init__(self, match):
        self.hostname, ipv4, ipv6, self.metadata, self.ssh = match.groups()
        self.ipv4 = [address for address in ipv4.split(",") if address]
        self.ipv6 = [address for address in ipv6.split(",") if address]


def ready_lines(console):
    return [Ready(match) for match in READY.finditer(console)]


def wait_ready(read_console, boots=1, seconds=90):
    """Waits for as many ready lines as boots, and returns the last. `read_console` gives the whole console."""
    lines = eventually(
        f"ready line number {boots} on the console",
        lambda: (lines := ready_lines(read_console())) and len(lines) >= boots and lines, seconds, every=0.5)
    return lines[-1]


def ssh(address, key, command, user="root", seconds=30):
    """Runs a command in a guest; tries again while the guest does not answer."""
    arguments = [
        "ssh", "-i", str(key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5",
        # A connection that is cut on the way, as when an address moves, would else be waited for.
        "-o", "ServerAliveInterval=3", "-o", "ServerAliveCountMax=3", f"{user}@{address}", command]

    def attempt():
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        # 255 is ssh's own failure; a guest that goes down for a reboot cuts the line in the same way.
        return done if done.returncode != 255 else None

    return eventually(f"ssh to {address}", attempt, seconds, every=1).stdout
