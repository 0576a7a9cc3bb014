"""The kernel rig: Debian's user-mode-linux on the machine's own files, for what the running kernel may lack (802.1Q).

It boots in about three seconds, has one processor, and sees the machine's files read-only; /run, /tmp and /dev are its
own. Lab hosts work in it as they do on the machine, also with guests under QEMU's emulation, at half the speed or less.
"""
import pathlib
import shlex
import subprocess
import tempfile

MODULES = "/usr/lib/uml/modules"
BEGIN = "-- kernel rig: begin --"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# On the machine. Its mounts and processes are its own, so that nothing can outlive it: the memory file, the management
# socket and the traced processes go with the namespaces. A shell is process 1 there: user-mode-linux signals itself,
# which process 1 of a namespace may not.
OUTSIDE = """
mount --make-rprivate / && mount -t tmpfs -o mode=1777,size="$1" rig /dev/shm && mkdir /dev/shm/uml || exit 1
shift
linux.uml "$@"
exit $?
"""

# Process 1 in the rig. Programs in /usr/local/sbin are found first, also by Skerry:
# - modprobe, as the kernel's own helper too: the modules are not in /lib/modules, which is the machine's.
# - iptables: this kernel's nf_tables has the bridge family alone, so the legacy program stands in; ebtables need not.
#   It has no connection tracking zones either; they only keep networks with the same addresses apart, so their rules
#   become empty ones.
INSIDE = """#!/bin/sh
set -e
export PATH={path}
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock /run/rig /run/machine /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t hostfs -o {folder} rig /run/rig
mount --bind / /run/machine
mount -t tmpfs -o mode=1777,size=16g tmp /tmp
for kept in {kept}; do
    mkdir -p "$kept"
    mount --bind "/run/machine$kept" "$kept"
done

mount -t tmpfs -o mode=755 programs /usr/local/sbin
mkdir -p /usr/local/sbin/kernel/lib
ln -s {modules} /usr/local/sbin/kernel/lib/modules
printf '#!/bin/sh\\nexec /sbin/modprobe -d /usr/local/sbin/kernel "$@"\\n' >/usr/local/sbin/modprobe
for family in iptables ip6tables; do
    ln -s /usr/sbin/xtables-legacy-multi /usr/local/sbin/$family
    ln -s /usr/sbin/xtables-legacy-multi /usr/local/sbin/$family-save
    printf '#!/bin/sh\\nsed "s/-j CT --zone [0-9]*/-j RETURN/" | xtables-legacy-multi %s-restore "$@"\\n' $family \
        >/usr/local/sbin/$family-restore
done
chmod 755 /usr/local/sbin/modprobe /usr/local/sbin/*-restore
echo /usr/local/sbin/modprobe >/proc/sys/kernel/modprobe
modprobe -a tun ipv6
ip link set lo up
hostname rig

echo '{begin}'
status=0
sh /run/rig/command </dev/null || status=$?
echo $status >/run/rig/status
umount /run/rig
busybox poweroff -f
"""


class Ended:
    """How a command in the rig ended: its exit status (None: it did not end in time, or the rig fell over), what the
    rig's console showed, the command's own output at its end, and what the command wrote into the file $RIG_RESULT."""

    def __init__(self, status, console, result):
        self.status = status
        self.console = console
        self.result = result

    def check(self):
        """Its result, when it ended well."""
        assert self.status == 0, f"in the kernel rig: status {self.status}\n{self.console[-30_000:]}"
        return self.result


def run_in_rig(arguments, *, seconds, memory_mib=512, keep=(), environment=None):
    """Boots the rig, runs one command in it as root, and halts it.

    `keep` names folders of the machine that the command needs and that may lie below /tmp or /run.
    """
    with tempfile.TemporaryDirectory(prefix="skerry-rig-") as name:
        folder = pathlib.Path(name)
        variables = {"RIG_RESULT": "/run/rig/result", "HOME": "/tmp", **(environment or {})}
        exports = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in variables.items())
        (folder / "command").write_text(f"{exports}exec {shlex.join(map(str, arguments))}\n")
        (folder / "init").write_text(_inside(folder, keep))
        (folder / "init").chmod(0o755)
        console = boot(
            ["quiet", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={folder / 'init'}"],
            memory_mib, seconds)
        return ended(folder, console)


def ended(folder, console):
    """How it ended, by what was left in the folder."""
    status, result = folder / "status", folder / "result"
    return Ended(
        int(status.read_text()) if status.exists() else None, console,
        result.read_text(errors="replace") if result.exists() else "")


def _inside(folder, keep):
    paths = sorted({str(pathlib.Path(path).resolve()) for path in keep})
    hidden = [path for path in paths if path.startswith(("/tmp/", "/run/"))]
    return INSIDE.format(path=PATH, folder=folder, kept=shlex.join(hidden), modules=MODULES, begin=BEGIN)


def boot(arguments, memory_mib, seconds):
    """Runs the kernel with these arguments until it halts, and returns what its console showed."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
         "sh", "-c", OUTSIDE, "sh", f"{memory_mib + 512}m", f"mem={memory_mib}M", *arguments,
         "con=null", "con0=null,fd:1", "ssl=null", "uml_dir=/dev/shm/uml"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        env={"PATH": PATH, "TMPDIR": "/dev/shm", "HOME": "/dev/shm"})
    try:
        console, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        console, _ = process.communicate()
        console += f"\n-- kernel rig: not done within {seconds} s --\n"
    except BaseException:
        process.kill()
        process.wait()
        raise
    return console.replace("\r", "")
