"""Small images of every format, made by qemu-img, and some that would read what is not theirs."""
import json
import os
import subprocess

SIZE = 1 << 20
SECTOR = 2048
# Format as the image service calls it -> (as qemu-img calls it, options).
SOUND = {
    "qcow2": ("qcow2", ""), "vmdk": ("vmdk", "subformat=monolithicSparse"),
    "vmdk-stream": ("vmdk", "subformat=streamOptimized"), "vhd": ("vpc", ""), "vhdx": ("vhdx", "")}


def write_raw(path):
    path.write_bytes(os.urandom(4096) + bytes(SIZE - 4096))


def convert(source, target, kind, options=""):
    qemu("convert", "-f", "raw", "-O", kind, *(("-o", options) if options else ()), source, target)


def qemu(*arguments):
    subprocess.run(["qemu-img", *map(str, arguments)], check=True, capture_output=True)


def write_iso(path):
    """The first volume descriptors of ISO 9660, without files."""
    primary = b"\x01CD001\x01" + bytes(SECTOR - 7)
    terminator = b"\xffCD001\x01" + bytes(SECTOR - 7)
    path.write_bytes(bytes(16 * SECTOR) + primary + terminator + bytes(16 * SECTOR))


def write_all(folder):
    """Writes the images and the list of them that tempest reads; gives the list's path."""
    raw = folder / "sound.raw"
    write_raw(raw)
    write_iso(folder / "sound.iso")
    entries = [("raw", raw.name, "raw", True), ("iso", "sound.iso", "iso", True)]
    for name, (kind, options) in SOUND.items():
        convert(raw, folder / f"sound.{name}", kind, options)
        entries.append((name, f"sound.{name}", name.split("-")[0], True))
    secret = folder / "secret.raw"
    secret.write_bytes(b"secret" * 1024)
    qemu("create", "-f", "qcow2", "-b", secret, "-F", "raw", folder / "backing.qcow2", SIZE)
    qemu("create", "-f", "qcow2", "-o", f"data_file={folder}/data.raw,data_file_raw=on", folder / "data.qcow2", SIZE)
    entries.append(("qcow2-backing-file", "backing.qcow2", "qcow2", False))
    entries.append(("qcow2-data-file", "data.qcow2", "qcow2", False))
    write_vmdk_extent(folder / "extent.vmdk", secret)
    entries.append(("vmdk-flat-extent", "extent.vmdk", "vmdk", False))
    listing = folder / "manifest.yaml"
    listing.write_text(json.dumps({"images": [
        dict(zip(("name", "filename", "format", "usable"), entry)) for entry in entries]}, indent=1))
    return listing


def write_vmdk_extent(path, target):
    """A descriptor, and nothing else, that names another file as the disk."""
    path.write_text(
        '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\n'
        f'RW {SIZE // 512} FLAT "{target}" 0\nddb.adapterType = "ide"\n'.ljust(1024))
