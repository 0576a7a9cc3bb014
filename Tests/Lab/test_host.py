"""The lab itself: a real guest under a private libvirtd on a lab host, without any of Skerry's programs."""
import shutil
import subprocess

from skerrylab.cloud import GUEST_IMAGE, PACKAGING
from skerrylab.guest import wait_ready
from skerrylab.waiting import eventually

DOMAIN = """
<domain type='qemu'><name>plain</name><memory unit='MiB'>96</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
<devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{folder}/disk.qcow2'/>
<target dev='vda' bus='virtio'/></disk>
<serial type='file'><source path='{folder}/console.log'/><target port='0'/></serial>
</devices></domain>
"""


def test_a_guest_boots_and_obeys_its_power_button(hosts, folder):
    _, host = hosts
    here = folder / "plain"
    here.mkdir()
    subprocess.run([PACKAGING / "guest-image", "--output", GUEST_IMAGE], check=True)
    shutil.copy(GUEST_IMAGE, here / "disk.qcow2")
    assert (here / "disk.qcow2").stat().st_size < 80_000_000
    (here / "domain.xml").write_text(DOMAIN.format(folder=here))
    libvirtd = subprocess.Popen(
        host.command("unshare", "--mount", PACKAGING / "lib" / "private-libvirt", here / "libvirt", "--hide-kvm"),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    uri = f"qemu+unix:///system?socket={here}/libvirt/run/libvirt-sock"
    virsh = lambda *arguments: host.run("virsh", "-q", "-c", uri, *arguments)
    try:
        eventually("libvirtd answers", lambda: host.succeeds("virsh", "-c", uri, "uri"), 30)
        virsh("define", here / "domain.xml")
        virsh("start", "plain")
        ready = wait_ready(lambda: (here / "console.log").read_text(errors="replace"), seconds=60)
        assert (ready.ipv4, ready.ipv6, ready.metadata, ready.ssh) == ([], [], "none", "yes")
        virsh("shutdown", "plain")
        eventually("the guest has powered off", lambda: virsh("domstate", "plain").strip() == "shut off", 30)
        virsh("undefine", "plain")
    finally:
        host.run("pkill", "-x", "libvirtd", check=False)
        host.run("pkill", "-x", "virtlogd", check=False)
        libvirtd.wait(timeout=20)
