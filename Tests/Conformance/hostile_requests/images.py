"""Hostile disk images, uploaded and imported: each is refused with a reason, and nothing of it stays."""
import json
import time

from . import disks


class Trial:
    def __init__(self, stage, watch):
        self.api, self.watch, self.token = stage.api, watch, stage.tokens["member"]
        self.problems = []

    def go(self):
        before = self.watch.files()
        self.expect("a sound qcow2", "qcow2", disks.SOUND, "active")
        for name, kind, data in disks.REFUSED:
            self.expect(name, kind, data, "queued")
        deadline = time.monotonic() + 10
        while self.watch.files() != before and time.monotonic() < deadline:
            time.sleep(0.05)
        left = set(self.watch.files()) - set(before)
        if left:
            self.problems.append(f"files are left: {sorted(left)[:5]}")
        return self.problems

    def expect(self, name, kind, data, status):
        for way in (self.upload, self.bring_in):
            path = "/image/v2/images/" + self.api.call("POST", "/image/v2/images", {
                "name": "trial", "disk_format": kind, "container_format": "bare"}, token=self.token)["id"]
            refusal = way(path, data, status)
            image = self.api.call("GET", path, token=self.token)
            told = f"{name}, {way.__name__}: "
            if image["status"] != status:
                self.problems.append(f"{told}the image is {image['status']}, not {status}")
            if status != "active" and not refusal:
                self.problems.append(f"{told}no reason was given")
            if status != "active" and image.get("checksum"):
                self.problems.append(f"{told}it has a checksum")
            self.api.call("DELETE", path, token=self.token)

    def upload(self, path, data, status):
        """Gives the reason of the refusal, if there was one."""
        answer = self.api.send("PUT", path + "/file", data, token=self.token)
        if answer.status < 400:
            return None
        if answer.status >= 500:
            self.problems.append(f"an upload was answered with {answer.status}: {answer.body[:300]!r}")
        return json.loads(answer.body).get("message")

    def bring_in(self, path, data, status):
        answer = self.api.send("PUT", path + "/stage", data, token=self.token)
        if answer.status >= 300:
            return json.loads(answer.body).get("message")
        answer = self.api.send("POST", path + "/import", {"method": {"name": "glance-direct"}}, token=self.token)
        if answer.status >= 300:
            return json.loads(answer.body).get("message")
        deadline = time.monotonic() + 30
        while self.api.call("GET", path, token=self.token)["status"] == "importing" and time.monotonic() < deadline:
            time.sleep(0.02)
        tasks = self.api.call("GET", path + "/tasks", token=self.token)["tasks"]
        return tasks[-1].get("message") if tasks and tasks[-1]["status"] == "failure" else None
