"""Image transfer; the baseline is a copy of the same file plus its SHA-512, in the same run."""
import os
import subprocess
import time

from cloud import Client, Cloud, memory_kib

SIZE = 1 << 30


def measure():
    with Cloud() as cloud:
        source = cloud.directory / "source.raw"
        with open(source, "wb") as out:
            block = os.urandom(1 << 20)
            for number in range(SIZE >> 20):
                out.write(number.to_bytes(8, "big") + block[8:])
        start = time.monotonic()
        subprocess.run(["cp", source, cloud.directory / "copy"], check=True)
        subprocess.run(["sha512sum", source], check=True, stdout=subprocess.DEVNULL)
        base = time.monotonic() - start
        yield {"what": "cp and sha512sum of 1 GiB (baseline)", "mib_per_second": SIZE / base / 2**20}
        (cloud.directory / "copy").unlink()
        image = cloud.admin.call("POST", "/image/v2/images",
                                 {"name": "big", "disk_format": "raw", "container_format": "bare"})["id"]
        before = memory_kib(cloud.coordinator.pid)["resident"]
        peak = Peak(cloud.coordinator.pid)
        start = time.monotonic()
        with open(source, "rb") as data:
            cloud.admin.call("PUT", f"/image/v2/images/{image}/file", data,
                             headers={"Content-Type": "application/octet-stream", "Content-Length": str(SIZE)})
        seconds = time.monotonic() - start
        yield {"what": "upload of 1 GiB", "mib_per_second": SIZE / seconds / 2**20, "ratio_to_baseline": seconds / base,
               "resident_growth_mib": (peak.stop() - before) / 1024}
        start = time.monotonic()
        client = Client(cloud, cloud.admin.token)
        client.connection.request("GET", f"/image/v2/images/{image}/file", headers={"X-Auth-Token": client.token})
        response = client.connection.getresponse()
        while response.read(1 << 20):
            pass
        seconds = time.monotonic() - start
        yield {"what": "download of 1 GiB", "mib_per_second": SIZE / seconds / 2**20, "ratio_to_baseline": seconds / base}


class Peak:
    """The largest resident size seen, looked at ten times a second."""

    def __init__(self, pid):
        import threading
        self.pid, self.most, self.done = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.done.wait(0.1):
            self.most = max(self.most, memory_kib(self.pid)["resident"])

    def stop(self):
        self.done.set()
        self.thread.join()
        return self.most
