"""A daemon that is killed at a chosen moment, and what the coordinator's database says of a server at that moment."""
import os
import pathlib
import select
import signal

from .database import rows
from .waiting import eventually


class Victim:
    """Finds the daemon's process beforehand, so that nothing but the signal itself stands between moment and death."""

    def __init__(self, cloud, daemon):
        inside = cloud.pid(daemon)
        assert inside, f"{daemon} does not run"
        self.process = process_on(cloud.host, inside)
        self.handle = os.pidfd_open(int(self.process.name))

    def kill(self):
        """kill -9. Returns when there is no such process any more."""
        try:
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
            assert select.select([self.handle], [], [], 10)[0], "a killed daemon lives"
        finally:
            os.close(self.handle)
        eventually("the host's process 1 has taken note", lambda: not self.process.exists(), 10, every=0.005)


def process_on(host, pid):
    """The folder in this machine's /proc of the process that the lab host knows as `pid`."""
    namespace = os.readlink(f"/proc/{host.pid}/ns/pid")
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "ns" / "pid") != namespace:
                continue
            status = (process / "status").read_text()
        except OSError:
            continue
        pids = next(line.split() for line in status.splitlines() if line.startswith("NSpid:"))
        if int(pids[-1]) == pid:
            return process
    raise AssertionError(f"no process {pid} on {host.name}")


def stage(cloud, server):
    """How far the server with this name or UUID is.

    "none" before its creation is written down, "gone" after its deletion, else its vm_state and task_state.
    """
    found = rows(
        cloud.state / "coordinator", "SELECT vm_state, task_state, deleted_at FROM servers WHERE ? IN (name, uuid) ORDER BY id DESC LIMIT 1",
        server)
    if not found:
        return "none"
    state, task, deleted = found[0]
    return "gone" if deleted is not None else f"{state}/{task}" if task else state
