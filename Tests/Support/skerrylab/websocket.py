"""A WebSocket client (RFC 6455), as small as tests of consoles need it."""
import base64
import os
import socket
import ssl
import struct
import urllib.parse


class Refused(Exception):
    """The other side did not make it a WebSocket."""


class WebSocket:
    """`received` is all that came and was not taken by `take`; `closed` the code and reason of the end, once it came."""

    def __init__(self, url, certificate=None, headers=(), seconds=30):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), seconds)
        if parts.scheme in ("wss", "https"):
            self.socket = ssl.create_default_context(cafile=certificate).wrap_socket(
                self.socket, server_hostname=parts.hostname)
        self.unread, self.received, self.closed = b"", b"", None
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Protocol: binary", *headers]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self.unread:
            piece = self.socket.recv(4096)
            if not piece:
                raise Refused("closed without an answer")
            self.unread += piece
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 101"):
            self.socket.close()
            raise Refused(head.split(b"\r\n")[0].decode())

    def send(self, data, opcode=2):
        mask = os.urandom(4)
        size = bytes([128 | len(data)]) if len(data) < 126 else bytes([128 | 126]) + struct.pack("!H", len(data))
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        self.socket.sendall(bytes([128 | opcode]) + size + mask + masked)

    def take(self, size):
        """So many octets."""
        while len(self.received) < size:
            self._frame()
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def until(self, text):
        """All up to and with `text`."""
        while text not in self.received:
            self._frame()
        end = self.received.index(text) + len(text)
        taken, self.received = self.received[:end], self.received[end:]
        return taken

    def end(self):
        """Waits for the other side to close, and returns the code and the reason it gives."""
        while self.closed is None:
            try:
                self._frame()
            except EOFError:
                break
        return self.closed

    def close(self):
        self.socket.close()

    def _frame(self):
        if self.closed is not None:
            raise EOFError(f"closed: {self.closed}")
        first, size = self._read(2)
        size &= 127
        if size == 126:
            size = struct.unpack("!H", self._read(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._read(8))[0]
        data = self._read(size)
        opcode = first & 15
        if opcode == 8:
            self.closed = (struct.unpack("!H", data[:2])[0] if len(data) > 1 else None, data[2:].decode())
            raise EOFError(f"closed: {self.closed}")
        if opcode == 9:
            self.send(data, opcode=10)
        elif opcode in (0, 1, 2):
            self.received += data

    def _read(self, size):
        while len(self.unread) < size:
            piece = self.socket.recv(65536)
            if not piece:
                self.closed = self.closed or (None, "the connection broke")
                raise EOFError("the connection broke")
            self.unread += piece
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken
