"""kill -9 of the coordinator at seeded moments of uploads, imports, conversions and deletes, and uploads over a line
that is cut. Needs no lab host.

Whatever the moment: after the restart every image is whole or waits for data, nothing stays in between, every file
belongs to an image, and what waits for data can be carried on. At the end of each test the images are deleted, and
then there is nothing left of them (see `Coordinator`). A failing seed replays with SKERRY_SEED.
"""
import concurrent.futures
import hashlib
import http.client
import os
import pathlib
import random
import shutil
import subprocess
import time

import pytest

from skerrylab.alone import IMAGES, Coordinator, eventually_none, users_of
from skerrylab.client import Client
from skerrylab.line import CutLine
from skerrylab.waiting import eventually

SEED = int(os.environ.get("SKERRY_SEED", "1"))
ROUNDS = int(os.environ.get("SKERRY_ROUNDS", "4"))
MIB = 1 << 20
# An upload becomes safe every 64 MiB; here it pauses for that, and this is the whole.
SAFE, SIZE = 68 * MIB, 72 * MIB
SMALL = 32 * MIB
# What a line that is cut may take along of what came through it: what was in buffers.
IN_BUFFERS = 2 * MIB
CONVERSION = {"conversion": {"output_format": "raw"}}
# By `disk_format`: what qemu-img calls it, and how it is made to keep the disk's size.
FORMATS = {"qcow2": ("qcow2", []), "vhd": ("vpc", ["-o", "force_size=on"]), "vhdx": ("vhdx", [])}


def noise(size):
    return random.Random(SEED).randbytes(MIB) * (size // MIB)


def sha512(data):
    return hashlib.sha512(data).hexdigest()


def moments(dice, count, end):
    """Between 0 and `end`, one in each of `count` equal stretches, in any order."""
    found = [(number + dice.random()) * end / count for number in range(count)]
    dice.shuffle(found)
    return found


@pytest.fixture(scope="module")
def content():
    return noise(SIZE)


@pytest.fixture(scope="module", params=FORMATS)
def disk(request):
    """A disk's name of its format, its bytes in that format, and the hash of what is on it."""
    if not shutil.which("qemu-img"):
        pytest.skip("qemu-img is not there")
    folder = pathlib.Path(request.getfixturevalue("tmp_path_factory").mktemp("disk"))
    driver, options = FORMATS[request.param]
    raw, converted = folder / "raw", folder / request.param
    raw.write_bytes(noise(SMALL))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", driver, *options, raw, converted], check=True)
    yield request.param, converted.read_bytes(), sha512(raw.read_bytes())
    shutil.rmtree(folder)


class Source:
    """Data to be sent, and how much of it was taken already. `pauses` are called, by offset."""

    def __init__(self, data, pauses=None):
        self.data, self.pauses, self.taken = data, pauses or {}, 0

    def __iter__(self):
        for first in range(0, len(self.data), MIB):
            self.pauses.get(first, lambda: None)()
            yield self.data[first:first + MIB]
            self.taken = min(first + MIB, len(self.data))

    @property
    def share(self):
        return self.taken / len(self.data)


def create(cloud, disk_format="raw"):
    answer = cloud.call("POST", IMAGES, {"disk_format": disk_format, "container_format": "bare"})
    assert answer.status == 201, answer.body
    return answer.json["id"]


def put(cloud, image, what, data):
    """Brings all of it, which is bytes or a `Source`."""
    size = len(data.data if isinstance(data, Source) else data)
    answer = cloud.call("PUT", f"{IMAGES}/{image}/{what}", data, {
        "Content-Length": str(size), "Content-Type": "application/octet-stream"})
    assert answer.status == 204, answer.body


def start_import(cloud, image):
    answer = cloud.call("POST", f"{IMAGES}/{image}/import", {"method": {"name": "glance-direct"}})
    assert answer.status == 202, answer.body


def wait_imported(cloud, image):
    eventually("imported", lambda: image_of(cloud, image)["status"] == "active", 120, every=0.02)


def delete(cloud, image):
    answer = cloud.call("DELETE", f"{IMAGES}/{image}")
    assert answer.status == 204, answer.body


def image_of(cloud, image):
    answer = cloud.call("GET", f"{IMAGES}/{image}")
    return answer.json if answer.status == 200 else {"status": "deleted"}


def duration(work, *arguments):
    start = time.monotonic()
    work(*arguments)
    return time.monotonic() - start


def sent(source, share, usual):
    """The moment at which this share of the data was sent; above 1, so much of the usual time behind its end."""

    def wait():
        eventually("as much is sent", lambda: source.share >= min(share, 1), 60, every=0.001)
        time.sleep(max(0, share - 1) * usual)

    return wait


def killed_during(cloud, moment, work, image):
    """Kills the coordinator in the midst of `work`, when `moment` returns, and starts it again.

    Gives the status that the image had when nobody was there any more.
    """
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        moment()
        cloud.kill()
        # The connection of a killed server ends in many ways.
        error = done.exception(60)
        if error and not isinstance(error, (OSError, http.client.HTTPException)):
            raise error
    at_the_kill = cloud.rows("SELECT status FROM images WHERE uuid = ?", image)
    orphans = users_of(cloud.folder)
    cloud.start()
    outlived = eventually_none(lambda: orphans.keys() & users_of(cloud.folder).keys(), 10)
    assert not outlived, f"outlived the coordinator: {[orphans[pid] for pid in outlived]}"
    return at_the_kill[0][0] if at_the_kill else "deleted"


def check(cloud, image, digest, *ways_out):
    """The invariants; gives the image's status, which is `active` or one of these."""
    state = eventually(
        "the image is whole or waits for data",
        lambda: (found := image_of(cloud, image))["status"] not in ("saving", "importing") and found, 120, every=0.02)
    if state["status"] == "active":
        data = cloud.call("GET", f"{IMAGES}/{image}/file").body
        assert sha512(data) == state["os_hash_value"] == digest
        assert hashlib.md5(data).hexdigest() == state["checksum"] and state["size"] == len(data)
    else:
        assert state["status"] in ways_out
        assert state.get("os_hash_value") is None
    cloud.tidy()
    return state["status"]


def offset_of(cloud, image):
    answer = cloud.call("HEAD", f"{IMAGES}/{image}/file")
    assert answer.status == 204
    return int(answer.headers["Upload-Offset"])


def rest_of(data, offset):
    """The headers and the bytes that bring what is missing behind `offset`; all of it when nothing is."""
    if not 0 < offset < len(data):
        return {}, data
    return {"Content-Range": f"bytes {offset}-{len(data) - 1}/{len(data)}"}, data[offset:]


def carry_on(cloud, image, data):
    """Brings the rest behind what is there, and says how much that was."""
    offset = offset_of(cloud, image)
    assert 0 <= offset <= len(data)
    headers, rest = rest_of(data, offset)
    answer = cloud.call("PUT", f"{IMAGES}/{image}/file", rest, headers)
    assert answer.status == 204, answer.body
    return offset


def test_upload(content):
    dice, digest = random.Random(SEED), sha512(content)
    with Coordinator() as cloud:
        usual = duration(put, cloud, create(cloud), "file", content)
        # In the last stretch all is sent, and the answer is not there yet, or just came.
        for share in moments(dice, ROUNDS, 1.25):
            image, source = create(cloud), Source(content)
            killed_during(cloud, sent(source, share, usual), lambda: put(cloud, image, "file", source), image)
            if check(cloud, image, digest, "queued") == "queued":
                carry_on(cloud, image, content)
                assert check(cloud, image, digest) == "active"
            delete(cloud, image)


def test_what_was_safe_outlives_the_crash(content):
    with Coordinator() as cloud:
        image = create(cloud)
        safe = lambda: cloud.rows("SELECT 1 FROM image_parts WHERE size > 0")
        source = Source(content, {SAFE: lambda: eventually("killed", lambda: cloud.coordinator is None, 60, 0.01)})
        status = killed_during(
            cloud, lambda: eventually("some of it is safe", safe, 60), lambda: put(cloud, image, "file", source), image)
        assert status == "saving"
        assert check(cloud, image, None, "queued") == "queued"
        assert 0 < carry_on(cloud, image, content) <= SAFE
        assert check(cloud, image, sha512(content)) == "active"


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_upload_over_a_line_that_is_cut(reset):
    """Over TLS. The same image again and again, until it is whole."""
    dice, data = random.Random(SEED + 1), noise(SMALL)
    with Coordinator(tls=True) as cloud:
        image, offset = create(cloud), 0
        # The first ends before the request is whole.
        for limit in [dice.randrange(3000), *(dice.randrange(SMALL // ROUNDS) for _ in range(ROUNDS - 1))]:
            headers, rest = rest_of(data, offset)
            # Most lines are silent for a while before they are known to be cut; what came until then is not lost.
            pause = dice.choice([0, 0.3])
            with CutLine(cloud.port, limit, reset, pause) as line:
                client = Client(line.port, cloud.certificate, cloud.admin.token)
                with pytest.raises((OSError, http.client.HTTPException)):
                    client.send("PUT", f"{IMAGES}/{image}/file", rest, headers)
            assert line.passed == limit, "the line was not cut where it should have been"
            assert check(cloud, image, None, "queued") == "queued"
            before, offset = offset, offset_of(cloud, image)
            assert offset <= before + limit, "more is there than was sent"
            assert offset >= before + (limit - IN_BUFFERS if pause else 0), "what came is not there"
        carry_on(cloud, image, data)
        assert check(cloud, image, sha512(data)) == "active"


def test_import():
    dice, content = random.Random(SEED + 2), noise(SMALL)
    digest = sha512(content)
    with Coordinator() as cloud:
        first = create(cloud)
        put(cloud, first, "stage", content)
        usual = duration(lambda: (start_import(cloud, first), wait_imported(cloud, first)))
        # Up to 1 it is staged, behind that it is imported.
        for share in moments(dice, ROUNDS, 2):
            image, source = create(cloud), Source(content)

            def work():
                put(cloud, image, "stage", source)
                start_import(cloud, image)

            killed_during(cloud, sent(source, share, usual), work, image)
            status = check(cloud, image, digest, "queued", "uploading")
            if status == "queued":
                put(cloud, image, "stage", content)
            if status != "active":
                start_import(cloud, image)
                wait_imported(cloud, image)
            assert check(cloud, image, digest) == "active"
            tasks = cloud.call("GET", f"{IMAGES}/{image}/tasks").json["tasks"]
            assert [task["status"] for task in tasks] == ["success"]
            delete(cloud, image)


def is_converter(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith("/qemu-img")
    except OSError:
        return False


def converting(cloud):
    """The moment at which the converter is at work."""
    eventually("the converter runs", lambda: any(map(is_converter, users_of(cloud.folder))), 60, every=0.001)


def test_conversion(disk):
    kind, data, digest = disk
    dice = random.Random(f"{SEED} {kind}")
    with Coordinator(CONVERSION) as cloud:
        first = create(cloud, kind)
        put(cloud, first, "stage", data)
        usual = duration(lambda: (start_import(cloud, first), wait_imported(cloud, first)))
        assert check(cloud, first, digest) == "active"
        times = [lambda at=at: time.sleep(at) for at in moments(dice, max(1, ROUNDS // 3), usual)]
        interrupted = 0
        for moment in [lambda: converting(cloud), *times]:
            image = create(cloud, kind)
            put(cloud, image, "stage", data)
            at_the_kill = killed_during(cloud, moment, lambda: start_import(cloud, image), image)
            interrupted += at_the_kill == "importing"
            if check(cloud, image, digest, "uploading") == "uploading":
                start_import(cloud, image)
                wait_imported(cloud, image)
                assert check(cloud, image, digest) == "active"
            assert image_of(cloud, image)["disk_format"] == "raw"
            delete(cloud, image)
        assert interrupted, "no conversion was interrupted"


@pytest.mark.parametrize("disk", ["qcow2"], indirect=True)
def test_converter_inherits_nothing(disk):
    kind, data, _ = disk
    with Coordinator(CONVERSION) as cloud:
        seen, box = set(), f"{cloud.state}/images.sandbox/"
        work = {f"{box}in/disk", f"{box}out/disk"}
        # One conversion may be over before it is looked at.
        for _ in range(10):
            seen.clear()
            image = create(cloud, kind)
            put(cloud, image, "stage", data)
            start_import(cloud, image)

            def watch():
                for pid in filter(is_converter, users_of(cloud.folder)):
                    try:
                        seen.update(os.readlink(link) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir())
                    except OSError:
                        continue
                return image_of(cloud, image)["status"] != "importing"

            eventually("imported", watch, 120, every=0.001)
            if work <= seen:
                break
        assert work <= seen, "the converter was not seen at work"
        # Its standard error is a socket to the coordinator; the rest is files in its box, libraries too while they are
        # loaded, and what QEMU makes for itself.
        assert sum(name.startswith("socket:") for name in seen) <= 1, seen
        assert not any(str(cloud.folder) in name and not name.startswith(box) for name in seen), seen


def test_delete():
    dice, data = random.Random(SEED + 3), noise(SMALL)
    with Coordinator() as cloud:
        usual = 0
        for number, share in enumerate([0, *moments(dice, ROUNDS, 2)]):
            image = create(cloud)
            put(cloud, image, ["file", "stage"][number % 2], data)
            if number % 2:
                start_import(cloud, image)
            if number == 0:
                usual = duration(delete, cloud, image)
                continue
            killed_during(cloud, lambda: time.sleep(share * usual), lambda: delete(cloud, image), image)
            status = check(cloud, image, sha512(data), "uploading", "deleted")
            if status != "deleted":
                delete(cloud, image)
                cloud.tidy()
            assert cloud.files() == (set(), set())


def test_full_disk():
    with Coordinator() as cloud:
        cloud.kill()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", cloud.images],
                          capture_output=True).returncode:
            cloud.start()
            pytest.skip("a small file system cannot be mounted: needs root")
        try:
            cloud.start()
            small, large = create(cloud), create(cloud)
            put(cloud, small, "file", b"x" * (4 * MIB))
            answer = cloud.call("PUT", f"{IMAGES}/{large}/file", b"y" * (64 * MIB))
            assert answer.status == 413 and "full" in answer.json["message"], answer.body
            assert image_of(cloud, large)["status"] == "queued"
            cloud.tidy()
            put(cloud, large, "file", b"z" * (4 * MIB))
            check(cloud, large, sha512(b"z" * (4 * MIB)))
            cloud.leave_nothing()
        finally:
            cloud.kill()
            subprocess.run(["umount", cloud.images], check=True)
        cloud.start()
