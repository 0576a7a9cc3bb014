"""Consoles of a real guest, as a browser's programs speak to them: its screen over RFB, its serial port, both through the
coordinator's port and the agent's link, while either daemon is killed in between."""
import ssl
import struct
import urllib.parse
import urllib.request

import pytest

from skerrylab.guest import READY
from skerrylab.waiting import eventually
from skerrylab.websocket import Refused, WebSocket

KEYS = {"\n": 0xFF0D}


class Consoles:
    def __init__(self, cloud, demo, server):
        self.cloud, self.demo, self.id = cloud, demo, server
        self.certificate = str(cloud.state / "coordinator" / "ca" / "ca.crt")

    def url(self, protocol, kind):
        answer = self.demo.compute.post(
            f"/servers/{self.id}/remote-consoles", json={"remote_console": {"protocol": protocol, "type": kind}},
            microversion="2.6")
        assert answer.status_code == 200, answer.text
        return answer.json()["remote_console"]["url"]

    def screen_url(self):
        """What noVNC makes of the page's address."""
        parts = urllib.parse.urlsplit(self.url("vnc", "novnc"))
        path = urllib.parse.parse_qs(parts.query)["path"][0]
        return f"wss://{parts.netloc}/{path}"

    def open(self, url, *headers):
        return WebSocket(url, self.certificate, headers)

    def serial(self):
        return self.open(self.url("serial", "serial"))

    def screen(self):
        return Screen(self.open(self.screen_url()))


class Screen:
    """RFB 3.8 (RFC 6143) without authentication."""

    def __init__(self, socket):
        self.socket = socket
        assert socket.take(12) == b"RFB 003.008\n"
        socket.send(b"RFB 003.008\n")
        kinds = socket.take(socket.take(1)[0])
        assert 1 in kinds
        socket.send(b"\x01")
        assert socket.take(4) == b"\0\0\0\0"
        socket.send(b"\x01")
        self.width, self.height = struct.unpack("!HH", socket.take(4))
        socket.take(16)
        socket.take(struct.unpack("!I", socket.take(4))[0])
        # 32 bits a pixel, and pictures as they are.
        socket.send(b"\0\0\0\0" + struct.pack("!BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        socket.send(struct.pack("!BxHi", 2, 1, 0))

    def picture(self):
        """All pixels of the whole screen."""
        self.socket.send(struct.pack("!BBHHHH", 3, 0, 0, 0, self.width, self.height))
        pixels = []
        while len(pixels) < self.width * self.height:
            kind = self.socket.take(1)[0]
            assert kind == 0, f"message {kind}"
            for _ in range(struct.unpack("!xH", self.socket.take(3))[0]):
                _, _, width, height, encoding = struct.unpack("!HHHHi", self.socket.take(12))
                assert encoding == 0
                data = self.socket.take(4 * width * height)
                pixels += [data[index:index + 3] for index in range(0, len(data), 4)]
        return pixels

    def type(self, text):
        for character in text:
            needs_shift = character in ">_$|" or character.isupper()
            key = KEYS.get(character, ord(character))
            for code, down in ((0xFFE1, 1), (key, 1), (key, 0), (0xFFE1, 0)):
                if code != 0xFFE1 or needs_shift:
                    self.socket.send(struct.pack("!BBxxI", 4, down, code))


@pytest.fixture
def consoles(cloud, demo, clean):
    run = cloud.openstack
    run("server", "create", "console", "--image", "skerry-test", "--flavor", "m1.nano", "--network", "external", "--wait")
    consoles = Consoles(cloud, demo, run("server", "show", "console", "-f", "json")["id"])
    eventually("the guest is up", lambda: READY.search(cloud.console(consoles.id)), 120, every=0.5)
    yield consoles
    if demo.compute.find_server("console"):
        run("server", "delete", "--wait", "console")


def log_in(serial):
    serial.send(b"\r")
    serial.until(b"login: ")
    serial.send(b"root\r")
    serial.until(b"assword: ")
    serial.send(b"skerry\r")
    serial.until(b"# ")


def test_screen_and_keyboard(cloud, consoles):
    with pytest.raises(Refused):
        consoles.open(consoles.screen_url(), "Origin: https://elsewhere.example")
    url = consoles.screen_url()
    screen = Screen(consoles.open(url, f"Origin: https://{urllib.parse.urlsplit(url).netloc}"))
    with pytest.raises(Refused):
        consoles.open(url)
    assert screen.width >= 640 and screen.height >= 400
    # Text on a dark ground.
    pixels = screen.picture()
    assert len(set(pixels)) > 1
    # A second one who looks, and types.
    other = consoles.screen()
    other.type("root\n")
    eventually("the password is asked for", lambda: screen.picture() != pixels, 30, every=1)
    screen.type("skerry\n")
    marks = iter(range(100))

    def command_is_heard():
        # A log-in under emulation takes a while; what is typed before it is lost.
        mark = f"screen{next(marks)}"
        screen.type(f"echo {mark}-heard >/dev/ttyS0\n")
        return eventually(f"{mark} is on the serial port", lambda: f"{mark}-heard" in cloud.console(consoles.id), 5, every=0.5)

    for attempt in range(6):
        try:
            command_is_heard()
            break
        except AssertionError:
            assert attempt < 5, cloud.console(consoles.id)[-2000:]
    screen.socket.close()
    other.socket.close()


def test_serial_port(cloud, consoles):
    url = consoles.url("serial", "serial")
    serial = consoles.open(url)
    with pytest.raises(Refused):
        consoles.open(url)
    # What was said before.
    serial.until(b"SKERRY-GUEST-READY")
    log_in(serial)
    serial.send(b"echo $((6*7))-is-it\r")
    serial.until(b"42-is-it")
    # Two see the same.
    other = consoles.serial()
    other.until(b"42-is-it")
    serial.send(b"echo $((6*8))-is-it\r")
    other.until(b"48-is-it")
    serial.close()
    other.send(b"echo $((6*9))-is-it\r")
    other.until(b"54-is-it")
    # The log has it all, as before there were consoles.
    eventually("it is logged", lambda: "54-is-it" in cloud.console(consoles.id), 10)

    # The agent dies in the middle: the viewer hears it, and another token opens it again.
    cloud.kill("agent")
    code, _ = other.end()
    assert code in (1000, 1001)
    cloud.start("agent")
    token = eventually("a console is there again", lambda: reopened(consoles), 60, every=2)
    token.send(b"echo $((6*10))-is-it\r")
    token.until(b"60-is-it")
    token.close()

    # A token survives the coordinator.
    url = consoles.url("serial", "serial")
    cloud.kill("coordinator")
    cloud.start("coordinator")
    serial = eventually("the agent is back", lambda: reopened(consoles), 60, every=2)
    serial.close()
    again = consoles.open(url)
    again.until(b"SKERRY-GUEST-READY")

    # A server that goes takes its consoles and tokens along.
    kept = consoles.url("serial", "serial")
    cloud.openstack("server", "delete", "--wait", "console")
    assert again.end() is not None
    with pytest.raises(Refused):
        consoles.open(kept)


def reopened(consoles):
    """A serial port that shows something; None while its host is not there yet."""
    serial = consoles.serial()
    try:
        serial.until(b"SKERRY-GUEST-READY")
        return serial
    except EOFError:
        serial.close()
        return None


def test_a_guest_that_is_off_says_so(cloud, consoles):
    cloud.openstack("server", "stop", "console")
    eventually("it is off", lambda: cloud.openstack("server", "show", "console", "-f", "json")["status"] == "SHUTOFF", 120)
    code, reason = consoles.open(consoles.screen_url()).end()
    assert code == 1011 and "does not run" in reason


def test_pages(cloud, consoles):
    parts = urllib.parse.urlsplit(consoles.url("vnc", "novnc"))
    context = ssl.create_default_context(cafile=consoles.certificate)
    with urllib.request.urlopen(f"https://{parts.netloc}/serial.html", context=context) as answer:
        assert b"Serial console" in answer.read()
