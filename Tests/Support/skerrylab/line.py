"""A line to a server on loopback that is cut after so many bytes."""
import select
import socket
import struct
import threading
import time

BLOCK = 1 << 14


class CutLine:
    """Use as a context, and connect to its `port` once.

    `limit` bytes reach the server, which need not be whole records of TLS. Then nothing comes through for `pause`
    seconds, and the connection ends on both sides: with a reset if wanted, or else as when a program closes it.
    """

    def __init__(self, server_port, limit, reset=False, pause=0):
        self.limit, self.reset, self.pause, self.passed = limit, reset, pause, 0
        self.server = socket.create_connection(("127.0.0.1", server_port), 30)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        # One thread: while a second one reads from a socket, closing it ends nothing.
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        if self.thread.is_alive():
            # Nobody may have connected.
            socket.create_connection(("127.0.0.1", self.port), 30).close()
        self.thread.join(60)
        self.listener.close()
        assert not self.thread.is_alive(), "the line hangs"

    def serve(self):
        client, _ = self.listener.accept()
        client.settimeout(30)
        try:
            self.carry({client: self.server, self.server: client}, client)
        except OSError:
            pass
        time.sleep(self.pause)
        for end in (client, self.server):
            self.cut(end)

    def carry(self, other, client):
        while self.passed < self.limit:
            ready, _, _ = select.select(list(other), [], [], 30)
            if not ready:
                return
            for source in ready:
                data = source.recv(min(BLOCK, self.limit - self.passed) if source is client else BLOCK)
                if not data:
                    return
                other[source].sendall(data)
                self.passed += len(data) if source is client else 0

    def cut(self, end):
        try:
            if self.reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()
