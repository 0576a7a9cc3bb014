"""The compiled programs: where they are, how they are run, started and ended, and ports for them to listen on."""
import ctypes
import os
import pathlib
import random
import signal
import socket
import subprocess
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PR_SET_PDEATHSIG = 1
# Looked up here: between fork and exec there is no telling who holds the loader's locks.
LIBC = ctypes.CDLL(None)
# Sockets that keep other test runs from the ports this one uses, for as long as it lives.
RESERVATIONS = []


def binaries():
    """The folder with the compiled programs: SKERRY_BINARIES, or the release build."""
    return pathlib.Path(os.environ.get("SKERRY_BINARIES") or REPOSITORY / ".build-release" / "release")


def novnc_folder():
    """Where noVNC is: the system's, or the files of Debian's package in .build-release, fetched once."""
    system = pathlib.Path("/usr/share/novnc")
    if (system / "vnc_lite.html").exists():
        return system
    kept = REPOSITORY / ".build-release" / "novnc"
    files = kept / "usr" / "share" / "novnc"
    if not files.exists() and kept.parent.is_dir():
        with tempfile.TemporaryDirectory(prefix="skerry-novnc-") as folder:
            done = subprocess.run(["apt-get", "download", "novnc"], cwd=folder, capture_output=True, text=True)
            for package in pathlib.Path(folder).glob("novnc_*.deb"):
                subprocess.run(["dpkg", "-x", package, kept], check=True)
            if not files.exists():
                print(f"no noVNC, pages of consoles are not there: {done.stderr.strip()}")
    return files


def command(program, *arguments):
    return [str(binaries() / program), *map(str, arguments)]


def run(program, *arguments, timeout=60):
    """Runs one to its end and returns what it printed; its errors go into the failure."""
    done = subprocess.run(command(program, *arguments), capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, f"{program} {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}"
    return done.stdout


def spawn(log, program, *arguments):
    """Starts one that runs on, until the thread that started it ends; what it prints is appended to the file `log`."""
    with open(log, "a") as output:
        return subprocess.Popen(
            command(program, *arguments), stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent)


def die_with_parent():
    """For a child between fork and exec: it ends when who started it ends, however that happens."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end(process, seconds=30):
    """Asks it to end, and makes it. Whether asking was enough."""
    process.terminate()
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def free_port():
    """A port of loopback that stays free until it is listened on, and from then while a program is started again.

    None of those that the kernel gives to outgoing connections, and none that another test run was given.
    """
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    ports = [*range(20_000, low), *range(max(high + 1, 20_000), 65_536)] or range(20_000, 65_536)
    for _ in range(1000):
        port = random.choice(ports)
        reservation = socket.socket(socket.AF_UNIX)
        try:
            # An abstract name: known to all on this host, and gone with this process.
            reservation.bind(f"\0skerry-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            continue
        RESERVATIONS.append(reservation)
        return port
    raise OSError("no free port was found")
