"""Disk images that would read, or claim, what is not theirs, made byte by byte."""
import struct

CLUSTER = 1 << 16
SECRET = "/etc/passwd"


def qcow2(version=3, size=1 << 20, backing=b"", incompatible=0, cluster_bits=16, crypt=0, l1_entries=1, snapshots=0):
    """A header, a refcount table and block, an L1 table; no data, so all zeros."""
    header = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", version, 112 if backing else 0, len(backing), cluster_bits, size, crypt,
        l1_entries, 3 * CLUSTER, CLUSTER, 1, snapshots, 0)
    if version >= 3:
        header += struct.pack(">QQQII", incompatible, 0, 0, 4, 104) + bytes(8)
    header = header.ljust(112, b"\0") + backing
    table = struct.pack(">Q", 2 * CLUSTER).ljust(CLUSTER, b"\0")
    counts = struct.pack(">4H", 1, 1, 1, 1).ljust(CLUSTER, b"\0")
    return header.ljust(CLUSTER, b"\0") + table + counts + bytes(CLUSTER)


def descriptor(kind, *extents):
    lines = ["# Disk DescriptorFile", "version=1", "CID=fffffffe", "parentCID=ffffffff", f'createType="{kind}"',
             *extents, 'ddb.adapterType = "ide"']
    return "\n".join(lines).encode()


def vmdk(text, capacity=2048):
    """A sparse one with this descriptor in its second sector."""
    header = struct.pack("<4sIIQQQQIQQQB4sH", b"KDMV", 1, 3, capacity, 128, 1, 20, 512, 21, 22, 128, 0, b"\n \r\n", 0)
    return header.ljust(512, b"\0") + text.ljust(20 * 512, b"\0") + bytes(107 * 512)


def qed(backing):
    return struct.pack("<4sIIIQQQQQII", b"QED\0", CLUSTER, 4, 1, 1 if backing else 0, 0, 0, CLUSTER, 1 << 20, 72,
                       len(backing)).ljust(72, b"\0") + backing.ljust(5 * CLUSTER, b"\0")


SOUND = qcow2()
PATH = SECRET.encode()
# (what it is, the image's disk_format, bytes)
REFUSED = (
    ("qcow2 with a backing file", "qcow2", qcow2(backing=PATH)),
    ("qcow2 version 2 with a backing file", "qcow2", qcow2(version=2, backing=PATH)),
    ("qcow2 with a json: backing file", "qcow2", qcow2(backing=b'json:{"driver":"file","filename":"/etc/passwd"}')),
    ("qcow2 with a backing file, said to be raw", "raw", qcow2(backing=PATH)),
    ("qcow2 with external data", "qcow2", qcow2(incompatible=4)),
    ("qcow2 with external data, said to be raw", "raw", qcow2(incompatible=4)),
    ("qcow2 with an unknown feature", "qcow2", qcow2(incompatible=1 << 40)),
    ("qcow2 cut in its header", "qcow2", SOUND[:60]),
    ("qcow2 cut behind its header", "qcow2", SOUND[:112]),
    ("qcow2 cut in its tables", "qcow2", SOUND[:2 * CLUSTER]),
    ("qcow2 of 2^63 bytes", "qcow2", qcow2(size=1 << 63)),
    ("qcow2 of 2^64 - 1 bytes", "qcow2", qcow2(size=(1 << 64) - 1)),
    ("qcow2 of 2^50 bytes with one L1 entry", "qcow2", qcow2(size=1 << 50)),
    ("qcow2 with a vast L1 table", "qcow2", qcow2(l1_entries=(1 << 32) - 1)),
    ("qcow2 with 2^32 - 1 snapshots", "qcow2", qcow2(snapshots=(1 << 32) - 1)),
    ("qcow2 with clusters of 2^63 bytes", "qcow2", qcow2(cluster_bits=63)),
    ("qcow2 with clusters of one byte", "qcow2", qcow2(cluster_bits=0)),
    ("qcow2 encrypted", "qcow2", qcow2(crypt=1)),
    ("qcow2 of version 99", "qcow2", qcow2(version=99)),
    ("vmdk descriptor with a foreign extent", "vmdk", descriptor("monolithicFlat", f'RW 2048 FLAT "{SECRET}" 0')),
    ("vmdk with a foreign extent", "vmdk", vmdk(descriptor("monolithicSparse", f'RW 2048 FLAT "{SECRET}" 0'))),
    ("vmdk with two extents", "vmdk", vmdk(descriptor(
        "monolithicSparse", 'RW 2048 SPARSE "a.vmdk"', f'RW 2048 FLAT "{SECRET}" 0'))),
    ("vmdk with a device for an extent", "vmdk", vmdk(descriptor("fullDevice", 'RW 2048 FLAT "/dev/sda" 0'))),
    ("vmdk cut in its header", "vmdk", vmdk(b"")[:100]),
    ("vmdk without a descriptor", "vmdk", vmdk(b"")),
    ("qed with a backing file", "raw", qed(PATH)),
    ("raw, said to be qcow2", "qcow2", b"\0" * 4096),
    ("qcow2, said to be vmdk", "vmdk", SOUND),
    ("text, said to be vhdx", "vhdx", b"vhdxfilf" + b"\xff" * 4096),
    ("nothing, said to be vhd", "vhd", b"conectix" + b"\xff" * 504),
)
