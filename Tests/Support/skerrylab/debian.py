"""A Debian 12 of its own, booted under user-mode-linux with systemd as process 1: for what only a whole system shows, such
as how packages are installed, started and removed.

It is made once (debootstrap, from the mirror that this machine's apt uses) with what the packages under test depend on, and
kept in .build-release. Each boot works on a copy of it that is thrown away, has no network but the loopback, and takes
about ten seconds.
"""
import hashlib
import pathlib
import subprocess
import tempfile

from skerrylab import programs
from skerrylab.uml import MODULES, boot, ended

CACHE = programs.REPOSITORY / ".build-release"
BASE = ["systemd", "systemd-sysv", "dbus", "libpam-systemd", "procps", "iproute2", "ca-certificates", "kmod", "man-db"]
SUITE = "bookworm"

# What the machine does to make a root: $1 the folder, $2 the packages, $3 what they are to satisfy.
MAKE = f"""
set -e
debootstrap --variant=minbase --include="$2" {SUITE} "$1" "$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
    grep -v security | head -n 1)"
cp /etc/resolv.conf "$1/etc/resolv.conf"
for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    [ ! -e "$file" ] || cp "$file" "$1$file"
done
# No service starts while it is being made, and manual pages are indexed by nobody here.
printf '#!/bin/sh\\nexit 101\\n' >"$1/usr/sbin/policy-rc.d"
chmod 755 "$1/usr/sbin/policy-rc.d"
echo 'force-unsafe-io' >"$1/etc/dpkg/dpkg.cfg.d/rig"
mount -t proc proc "$1/proc"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
chroot "$1" sh -c 'echo "man-db man-db/auto-update boolean false" | debconf-set-selections'
chroot "$1" apt-get -q update
chroot "$1" apt-get -q -y --no-install-recommends satisfy "$3"
chroot "$1" apt-get clean
umount "$1/proc"
rm "$1/usr/sbin/policy-rc.d"
echo rig >"$1/etc/hostname"
mkdir -p "$1/lib/modules"
cp -r {MODULES}/* "$1/lib/modules/"
cp "$4/rig.service" "$4/rig.target" "$1/etc/systemd/system/"
cp "$4/rig" "$1/etc/rig"
truncate -s 3G "$5"
mkfs.ext4 -q -d "$1" "$5"
"""

# What the system does once it has booted: the command of this boot, and an end.
SERVICE = """[Unit]
Description=What the test does here
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/bin/sh /etc/rig
ExecStopPost=/bin/systemctl --no-block poweroff
"""
TARGET = """[Unit]
Description=A boot with a purpose
Requires=multi-user.target rig.service
After=multi-user.target
"""
INSIDE = """mkdir -p /run/rig
mount -t hostfs -o "$(sed 's/.*rig=\\([^ ]*\\).*/\\1/' /proc/cmdline)" rig /run/rig
sh /run/rig/command >/run/rig/result 2>&1 </dev/null
echo $? >/run/rig/status
umount /run/rig
"""

def image(dependencies):
    """The path of the image of a system that has what `dependencies` (a list in dpkg's form) asks for."""
    wanted = "\0".join([MAKE, SERVICE, TARGET, INSIDE, *BASE, dependencies])
    path = CACHE / f"debian-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}.img"
    if path.exists():
        return path
    CACHE.mkdir(exist_ok=True)
    for old in CACHE.glob("debian-*.img"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="debian-", dir=CACHE) as name:
        folder = pathlib.Path(name)
        for file, text in (("rig.service", SERVICE), ("rig.target", TARGET), ("rig", INSIDE)):
            (folder / file).write_text(text)
        made = folder / "made.img"
        # Its mounts go with it, whatever happens.
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", MAKE, "sh", folder / "root", ",".join(BASE), dependencies, folder, made],
            capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{done.stdout[-4000:]}{done.stderr[-4000:]}"
        made.rename(path)
    return path


def run_in_debian(base, folder, *, seconds, memory_mib=1024):
    """Boots a copy of `base` and runs the file `command` of `folder` in it as root, with that folder at /run/rig.

    Returns how it ended, with what it printed as the result."""
    copy = folder / "disk.cow"
    try:
        console = boot(
            [f"ubd0={copy},{base}", "root=/dev/ubda", "rw", f"rig={folder}", "systemd.unit=rig.target"],
            memory_mib, seconds)
    finally:
        copy.unlink(missing_ok=True)
    return ended(folder, console)
