"""HTTP/1.1 over TLS, byte for byte as it is told to: the standard library would refuse to send most of this."""
import socket
import ssl

BLOCK = 1 << 16


class Dropped(Exception):
    """The connection ended, or nothing came, before there was a whole answer."""


class Answer:
    __slots__ = ("status", "headers", "body")

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def closes(self):
        return self.headers.get("connection", "").lower() == "close"


class Connection:
    def __init__(self, port, certificate):
        self.port = port
        self.context = ssl.create_default_context(cafile=str(certificate))
        self.socket = None
        self.buffer = b""
        self.opened = 0

    def open(self):
        self.close()
        plain = socket.create_connection(("127.0.0.1", self.port), 30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = self.context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.buffer = b""
        self.opened += 1

    def close(self):
        if self.socket:
            try:
                self.socket.close()
            except OSError:
                pass
        self.socket = None

    def leftover(self):
        """What came although nothing was asked. An ended connection is closed here, too."""
        if self.socket and not self.buffer:
            self.socket.setblocking(False)
            try:
                self.buffer = self.socket.recv(BLOCK)
                if not self.buffer:
                    self.close()
            except (ssl.SSLWantReadError, BlockingIOError):
                pass
            except OSError:
                self.close()
            if self.socket:
                self.socket.settimeout(30)
        return self.buffer if self.socket else b""

    def send(self, data):
        if not self.socket:
            self.open()
        try:
            self.socket.sendall(data)
        except (OSError, ssl.SSLError):
            # What was refused early may be answered all the same.
            pass

    def receive(self, method="GET", timeout=30):
        """The answer to what was sent."""
        self.socket.settimeout(timeout)
        try:
            answer = self.read(method)
        except (OSError, ssl.SSLError, ValueError, IndexError) as error:
            self.close()
            raise Dropped(f"{type(error).__name__}: {error}") from error
        if answer.closes:
            self.close()
        return answer

    def read(self, method):
        while True:
            head = self.until(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ", 2)[1])
            if status >= 200:
                break
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if method == "HEAD" or status in (204, 304):
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return Answer(status, headers, self.chunks())
        if "content-length" in headers:
            return Answer(status, headers, self.exactly(int(headers["content-length"])))
        headers["connection"] = "close"
        return Answer(status, headers, self.rest())

    def more(self):
        block = self.socket.recv(BLOCK)
        if not block:
            raise ValueError(f"closed after {len(self.buffer)} bytes of an answer")
        self.buffer += block

    def until(self, mark):
        while mark not in self.buffer:
            self.more()
        found, self.buffer = self.buffer.split(mark, 1)
        return found

    def exactly(self, count):
        while len(self.buffer) < count:
            self.more()
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def chunks(self):
        whole = b""
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            whole += self.exactly(size)
            self.exactly(2)
            if size == 0:
                return whole

    def rest(self):
        while True:
            try:
                self.more()
            except ValueError:
                found, self.buffer = self.buffer, b""
                return found
