"""kill -9 of the coordinator at seeded moments of uploads, imports, conversions and deletes. Needs no lab host.

Whatever the moment: after the restart every image is whole or waits for data, nothing stays in between, every file
belongs to an image, and what waits for data can be carried on. A failing seed replays with SKERRY_SEED.
"""
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time

import pytest

from skerrylab.alone import Coordinator
from skerrylab.waiting import eventually

SEED = int(os.environ.get("SKERRY_SEED", "1"))
ROUNDS = int(os.environ.get("SKERRY_ROUNDS", "6"))
# More than is written between two moments at which an upload becomes safe.
SIZE = 160 << 20
OCTETS = {"Content-Type": "application/octet-stream"}
CONVERSION = "  conversion: {output_format: raw}\n"


@pytest.fixture(scope="module")
def content():
    return random.Random(SEED).randbytes(1 << 20) * (SIZE >> 20)


@pytest.fixture(scope="module")
def qcow2():
    """The same bytes in a qcow2 image."""
    if not shutil.which("qemu-img"):
        pytest.skip("qemu-img is not there")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="skerry-crash-"))
    (folder / "raw").write_bytes(random.Random(SEED).randbytes(1 << 20) * 96)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", folder / "raw", folder / "qcow2"], check=True)
    yield (folder / "qcow2").read_bytes(), hashlib.sha512((folder / "raw").read_bytes()).hexdigest()
    shutil.rmtree(folder)


def create(cloud, disk_format="raw"):
    answer = cloud.call("POST", "/image/v2/images", {"disk_format": disk_format, "container_format": "bare"})
    assert answer.status == 201, answer.body
    return answer.json["id"]


def send(cloud, image, what, data):
    return cloud.call("PUT", f"/image/v2/images/{image}/{what}", data, OCTETS)


def image_of(cloud, image):
    answer = cloud.call("GET", f"/image/v2/images/{image}")
    return answer.json if answer.status == 200 else {"status": "deleted"}


def start_import(cloud, image):
    return cloud.call("POST", f"/image/v2/images/{image}/import", {"method": {"name": "glance-direct"}})


def killed_during(cloud, moment, work):
    """Runs `work` and kills the coordinator so many seconds after its begin, then starts it again."""

    def attempt():
        try:
            work()
        except OSError:
            pass
        except Exception as error:  # The connection of a killed server ends in many ways.
            assert type(error).__module__.startswith("http"), error

    thread = threading.Thread(target=attempt)
    thread.start()
    time.sleep(moment)
    cloud.kill()
    thread.join(60)
    assert not thread.is_alive()
    cloud.start()


def check(cloud, image, contents):
    """The invariants; gives the image's status."""
    state = eventually(
        "the image is whole or waits for data",
        lambda: (found := image_of(cloud, image))["status"] not in ("saving", "importing") and found, 60)
    if state["status"] == "active":
        data = cloud.call("GET", f"/image/v2/images/{image}/file")
        digest = hashlib.sha512(data.body).hexdigest()
        assert digest == state["os_hash_value"] and digest in contents
    else:
        assert state["status"] in ("queued", "uploading", "deleted")
        assert state.get("os_hash_value") is None
    tidy(cloud)
    return state["status"]


def tidy(cloud):
    """Every file is somebody's, and what somebody has is there."""

    def agree():
        hashes = {row[0] for row in cloud.rows("SELECT sha512 FROM images WHERE sha512 IS NOT NULL")}
        parts = {row[0] for row in cloud.rows("SELECT file FROM image_parts")}
        blobs, files = cloud.files()
        return blobs == hashes and files == parts

    eventually("files and database agree", agree, 20)
    assert not cloud.rows("SELECT 1 FROM images WHERE status IN ('saving', 'importing')")


def carry_on(cloud, image, content):
    """Brings the rest behind what is there."""
    offset = int(cloud.call("GET", f"/image/v2/images/{image}/file").headers["Upload-Offset"])
    assert 0 <= offset <= len(content)
    headers = dict(OCTETS)
    if 0 < offset < len(content):
        headers["Content-Range"] = f"bytes {offset}-{len(content) - 1}/{len(content)}"
    answer = cloud.call("PUT", f"/image/v2/images/{image}/file", content[offset % len(content):], headers)
    assert answer.status == 204, answer.body
    return offset


def duration(work):
    start = time.monotonic()
    work()
    return time.monotonic() - start


def test_upload(content):
    moments = random.Random(SEED)
    digest = hashlib.sha512(content).hexdigest()
    with Coordinator() as cloud:
        usual = duration(lambda: send(cloud, create(cloud), "file", content))
        resumed = 0
        for _ in range(ROUNDS):
            image = create(cloud)
            killed_during(cloud, moments.uniform(0, usual * 1.2), lambda: send(cloud, image, "file", content))
            if check(cloud, image, {digest}) == "queued":
                resumed += carry_on(cloud, image, content) > 0
                assert check(cloud, image, {digest}) == "active"
            assert cloud.call("DELETE", f"/image/v2/images/{image}").status == 204
        print(f"{resumed} of {ROUNDS} uploads went on behind what was there")


def test_import(content):
    moments = random.Random(SEED + 1)
    digest = hashlib.sha512(content).hexdigest()
    with Coordinator() as cloud:
        for _ in range(ROUNDS):
            image = create(cloud)
            moment = moments.uniform(0, 1.5)

            def work():
                assert send(cloud, image, "stage", content).status == 204
                start_import(cloud, image)

            killed_during(cloud, moment, work)
            status = check(cloud, image, {digest})
            if status == "queued":
                assert send(cloud, image, "stage", content).status == 204
                status = "uploading"
            if status == "uploading":
                assert start_import(cloud, image).status == 202
                eventually("imported", lambda: image_of(cloud, image)["status"] == "active", 60)
            assert check(cloud, image, {digest}) == "active"
            tasks = cloud.call("GET", f"/image/v2/images/{image}/tasks").json["tasks"]
            assert [task["status"] for task in tasks] == ["success"]
            assert cloud.call("DELETE", f"/image/v2/images/{image}").status == 204


def test_conversion(qcow2):
    data, digest = qcow2
    moments = random.Random(SEED + 2)
    with Coordinator(CONVERSION) as cloud:
        for _ in range(ROUNDS):
            image = create(cloud, "qcow2")
            assert send(cloud, image, "stage", data).status == 204
            killed_during(cloud, moments.uniform(0, 1.5), lambda: start_import(cloud, image))
            assert not converters(cloud), "the converter outlived its coordinator"
            status = check(cloud, image, {digest})
            if status == "uploading":
                assert start_import(cloud, image).status == 202
            eventually("imported", lambda: image_of(cloud, image)["status"] == "active", 60)
            assert check(cloud, image, {digest}) == "active"
            assert image_of(cloud, image)["disk_format"] == "raw"
            assert cloud.call("DELETE", f"/image/v2/images/{image}").status == 204
        tidy(cloud)


def test_converter_inherits_nothing(qcow2):
    data, _ = qcow2
    with Coordinator(CONVERSION) as cloud:
        image = create(cloud, "qcow2")
        assert send(cloud, image, "stage", data).status == 204
        assert start_import(cloud, image).status == 202
        seen = set()

        def watch():
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    # Not the shell that makes the box: it has the box's files open for a moment, to make them.
                    is_converter = os.readlink(process / "exe").endswith("/qemu-img")
                    if is_converter and b"/in/disk" in (process / "cmdline").read_bytes().split(b"\0"):
                        seen.update(os.readlink(link) for link in (process / "fd").iterdir())
                except OSError:
                    continue
            return image_of(cloud, image)["status"] != "importing"

        eventually("imported", watch, 60, every=0.005)
        if not any(name.endswith("disk") for name in seen):
            pytest.skip("the converter was too quick to be watched")
        # Its standard error is a socket to the coordinator; the rest is files and what QEMU makes for itself.
        assert sum(name.startswith("socket:") for name in seen) <= 1, seen
        assert not any(str(cloud.folder) in name and not name.endswith("/disk") for name in seen), seen


def converters(cloud):
    """Processes that were given files of this coordinator and are not it."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == cloud.process.pid:
            continue
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"{cloud.images}/part-" in command:
            found.append((folder.name, command.replace("\0", " ")))
    # A process that started for the job's second try belongs to the coordinator that runs now.
    return [(pid, command) for pid, command in found if not descends(int(pid), cloud.process.pid)]


def descends(pid, ancestor):
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            return True
    return False


def test_delete(content):
    moments = random.Random(SEED + 3)
    digest = hashlib.sha512(content).hexdigest()
    with Coordinator() as cloud:
        for round_number in range(ROUNDS):
            image = create(cloud)
            send(cloud, image, ["file", "stage"][round_number % 2], content)
            if round_number % 2:
                start_import(cloud, image)
            killed_during(
                cloud, moments.uniform(0, 0.3), lambda: cloud.call("DELETE", f"/image/v2/images/{image}"))
            if check(cloud, image, {digest}) != "deleted":
                assert cloud.call("DELETE", f"/image/v2/images/{image}").status == 204
            tidy(cloud)
        assert cloud.files() == (set(), set())


def test_full_disk():
    with Coordinator() as cloud:
        cloud.kill()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", cloud.images],
                          capture_output=True).returncode:
            pytest.skip("a small file system cannot be mounted: needs root")
        try:
            cloud.start()
            small, large = create(cloud), create(cloud)
            assert send(cloud, small, "file", b"x" * (4 << 20)).status == 204
            answer = send(cloud, large, "file", b"y" * (64 << 20))
            assert answer.status == 413 and "full" in answer.json["message"], answer.body
            assert image_of(cloud, large)["status"] == "queued"
            tidy(cloud)
            assert send(cloud, large, "file", b"z" * (4 << 20)).status == 204
            cloud.kill()
        finally:
            subprocess.run(["umount", cloud.images], check=True)
