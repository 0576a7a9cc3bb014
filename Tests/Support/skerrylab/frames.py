"""Ethernet frames as a host's kernel passes them, with their 802.1Q tags."""
import socket
import struct
import threading

ALL_PROTOCOLS = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
TAG_IS_VALID = 0x10
TAGGED = 0x8100


class Frame:
    def __init__(self, destination, source, tag, kind, payload):
        self.destination = destination
        self.source = source
        self.tag = tag
        """The VLAN id; None for an untagged frame."""
        self.kind = kind
        """The EtherType behind the tag."""
        self.payload = payload

    def icmp_type(self):
        """The type of an ICMP message over IPv4, else None."""
        if self.kind != 0x0800 or len(self.payload) < 21 or self.payload[9] != 1:
            return None
        return self.payload[(self.payload[0] & 15) * 4]


def open_socket(host, interface):
    """A packet socket on an interface of a lab host; it belongs to that host whoever reads it."""
    opened = []

    def enter():
        # A thread has a network namespace of its own to change.
        host.enter_network()
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        packets.bind((interface, ALL_PROTOCOLS))
        # The kernel takes the tag out of the frame and tells it beside.
        packets.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        opened.append(packets)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert opened, f"no packet socket on {interface} of {host.name}"
    return opened[0]


class Capture:
    """Every frame on an interface, in both directions, until it is stopped."""

    def __init__(self, host, interface):
        self.frames = []
        self._socket = open_socket(host, interface)
        self._socket.settimeout(0.2)
        self._is_done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._is_done.is_set():
            try:
                data, ancillary, _, _ = self._socket.recvmsg(65_536, 128)
            except TimeoutError:
                continue
            self.frames.append(_frame(data, ancillary))

    def stop(self):
        self._is_done.set()
        self._thread.join()
        self._socket.close()
        return self.frames


def _frame(data, ancillary):
    tag = None
    for level, kind, content in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and len(content) >= 20:
            status, _, _, _, _, control, _ = struct.unpack("=IIIHHHH", content[:20])
            if status & TAG_IS_VALID:
                tag = control & 0xFFF
    kind, = struct.unpack("!H", data[12:14])
    rest = data[14:]
    if kind == TAGGED:
        control, kind = struct.unpack("!HH", data[14:18])
        tag, rest = control & 0xFFF, data[18:]
    return Frame(data[:6].hex(":"), data[6:12].hex(":"), tag, kind, rest)


def broadcast(source, kind, payload, tag=None):
    """A frame to everybody, as it goes over the wire; padded as Ethernet asks."""
    head = b"\xff" * 6 + bytes.fromhex(source.replace(":", ""))
    if tag is not None:
        head += struct.pack("!HH", TAGGED, tag)
    return (head + struct.pack("!H", kind) + payload).ljust(60, b"\0")
