"""What a large upload and download cost the coordinator in memory. Needs free disk of the image's size, no lab host.

SKERRY_UPLOAD_GIB sets another size than 2 GiB.
"""
import hashlib
import os
import pathlib
import random
import shutil
import time

import pytest

from skerrylab.alone import IMAGES, Coordinator

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SIZE = int(os.environ.get("SKERRY_UPLOAD_GIB", "2")) * GIB
ALLOWED = 32 * MIB
# Where the client stops reading for a while: a sender that reads ahead without a limit has time to fill its memory.
STALL_AT, STALL = 64 * MIB, 1.5
# Writes here make the kernel forget the peak of the process's resident memory.
RESET_PEAK = "5"


class Memory:
    """How far a process's resident memory rises above what it was at first.

    The kernel's peak misses memory that takes the place of the program's own pages when these are dropped, so what is
    not backed by files is looked at as well, as often as `look` is called.
    """

    def __init__(self, pid):
        self.process = pathlib.Path("/proc") / str(pid)
        (self.process / "clear_refs").write_text(RESET_PEAK)
        self.first = self.read()
        self.anonymous = self.first["RssAnon"]
        assert self.first["VmHWM"] < self.first["VmRSS"] + MIB, "the peak was not reset"

    def read(self):
        lines = (line.split() for line in (self.process / "status").read_text().splitlines())
        return {words[0][:-1]: int(words[1]) * KIB for words in lines if words[0] in ("VmRSS:", "VmHWM:", "RssAnon:")}

    def look(self):
        self.anonymous = max(self.anonymous, self.read()["RssAnon"])

    def growth(self):
        self.look()
        return max(self.read()["VmHWM"] - self.first["VmRSS"], self.anonymous - self.first["RssAnon"])


class Content:
    """So many bytes, no two blocks of them alike, and the hash of what was taken."""

    def __init__(self, memory):
        self.memory, self.hash = memory, hashlib.sha512()

    def __iter__(self):
        noise = random.Random(1).randbytes(MIB - 8)
        for number in range(SIZE // MIB):
            block = number.to_bytes(8, "big") + noise
            self.hash.update(block)
            yield block
            self.memory.look()


def upload(client, image, memory):
    """The sha512 of what was sent."""
    content = Content(memory)
    answer = client.send("PUT", f"{IMAGES}/{image}/file", content, {"Content-Length": str(SIZE)})
    assert answer.status == 204, answer.body
    return content.hash.hexdigest()


def download(client, image, memory):
    """The sha512 of what came."""
    found, size = hashlib.sha512(), 0
    connection = client.connect()
    try:
        connection.request("GET", f"{IMAGES}/{image}/file", headers={"X-Auth-Token": client.token})
        response = connection.getresponse()
        assert response.status == 200
        while block := response.read(MIB):
            found.update(block)
            size += len(block)
            if size == STALL_AT:
                time.sleep(STALL)
            memory.look()
    finally:
        connection.close()
    assert size == SIZE
    return found.hexdigest()


def test_large_images_pass_through_little_memory():
    with Coordinator(tls=True) as cloud:
        if shutil.disk_usage(cloud.folder).free < SIZE + GIB:
            pytest.skip(f"needs {(SIZE + GIB) // GIB} GiB of disk below {cloud.folder.parent}; TMPDIR sets another")
        answer = cloud.call("POST", IMAGES, {"disk_format": "raw", "container_format": "bare"})
        assert answer.status == 201, answer.body
        image = answer.json["id"]
        growth = {}
        memory = Memory(cloud.coordinator.pid)
        sent = upload(cloud.admin, image, memory)
        growth["upload"] = memory.growth()
        shown = cloud.call("GET", f"{IMAGES}/{image}").json
        assert (shown["status"], shown["size"], shown["os_hash_value"]) == ("active", SIZE, sent)

        memory = Memory(cloud.coordinator.pid)
        assert download(cloud.admin, image, memory) == sent
        growth["download"] = memory.growth()
        in_mib = {what: round(size / MIB, 1) for what, size in growth.items()}
        print(f"growth in MiB: {in_mib}")
        assert max(growth.values()) <= ALLOWED, f"the coordinator's resident memory grew by so many MiB: {in_mib}"
