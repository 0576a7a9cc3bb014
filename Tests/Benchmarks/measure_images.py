"""Image transfer; the baseline is a copy of the same file plus its SHA-512, in the same run.

An upload is on the disk when it is answered, a copy is not: so the copy is timed as it is and made durable, too.
"""
import hashlib
import os
import subprocess
import threading
import time

from cloud import Cloud, cpu_seconds, memory_kib

SIZE = 1 << 30
CHUNK = 1 << 20


def measure():
    with Cloud() as cloud:
        source, copy = cloud.folder / "source.raw", cloud.folder / "copy"
        with open(source, "wb") as out:
            block = os.urandom(1 << 20)
            for number in range(SIZE >> 20):
                out.write(number.to_bytes(8, "big") + block[8:])
        subprocess.run(["sync", source], check=True)
        plain = baseline(source, copy, ())
        durable = baseline(source, copy, (["sync", copy],))
        yield {"what": "cp and sha512sum of 1 GiB (baseline)", "mib_per_second": SIZE / plain / 2**20}
        yield {"what": "cp, sync and sha512sum of 1 GiB (baseline)", "mib_per_second": SIZE / durable / 2**20}
        image = cloud.admin.call("POST", "/image/v2/images",
                                 {"name": "big", "disk_format": "raw", "container_format": "bare"})["id"]
        path = f"/image/v2/images/{image}/file"
        for what, transfer in (("upload of 1 GiB, on the disk", lambda: upload(cloud, path, source)),
                               ("download of 1 GiB, thrown away", lambda: download(cloud, path)),
                               ("download of 1 GiB, written and hashed", lambda: download(cloud, path, copy))):
            watch = Watch(cloud.coordinator)
            try:
                transfer()
            finally:
                figures = watch.stop()
            yield {"what": what, **figures, "speed_of_cp_and_hash": plain / figures["seconds"],
                   "speed_of_cp_sync_and_hash": durable / figures["seconds"]}


def baseline(source, copy, between):
    start = time.monotonic()
    for command in (["cp", source, copy], *between, ["sha512sum", source]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    copy.unlink()
    return seconds


def upload(cloud, path, source):
    client = cloud.client(cloud.admin.token, keep=True)
    # What is read from the file at a time: 8 KiB otherwise, which would measure Python.
    client.connection.blocksize = CHUNK
    with open(source, "rb") as data:
        client.call("PUT", path, data, {"Content-Length": str(SIZE)})


def download(cloud, path, copy=None):
    connection = cloud.client().connect()
    connection.request("GET", path, headers={"X-Auth-Token": cloud.admin.token})
    response = connection.getresponse()
    digest, count, buffer = hashlib.sha512(), 0, memoryview(bytearray(CHUNK))
    with open(copy or os.devnull, "wb", buffering=0) as out:
        while got := response.readinto(buffer):
            count += got
            out.write(buffer[:got])
            if copy:
                digest.update(buffer[:got])
    expected = client_hash(cloud, path)
    if count != SIZE or (copy and digest.hexdigest() != expected):
        raise RuntimeError(f"{count} bytes with hash {digest.hexdigest()} came instead of {SIZE} with {expected}")


def client_hash(cloud, path):
    return cloud.admin.call("GET", path.removesuffix("/file"))["os_hash_value"]


class Watch:
    """Time, CPU and the largest growth of memory meanwhile, looked at ten times a second."""

    def __init__(self, process):
        self.process = process
        self.memory = self.most = memory_kib(process.pid)["resident"]
        self.cpu, self.start = cpu_seconds(process), time.monotonic()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.done.wait(0.1):
            self.most = max(self.most, memory_kib(self.process.pid)["resident"])

    def stop(self):
        seconds, cpu = time.monotonic() - self.start, cpu_seconds(self.process) - self.cpu
        self.done.set()
        self.thread.join()
        return {"seconds": seconds, "mib_per_second": SIZE / seconds / 2**20, "cpu_seconds": cpu,
                "resident_growth_mib": (self.most - self.memory) / 1024}
