"""Sound and hostile disk images, uploaded and imported: what is hostile is refused with a reason, and nothing stays."""
import json
import pathlib
import tempfile
import time

from conformance import formats

from . import disks

PATIENCE_SECONDS = 120


class Trial:
    def __init__(self, stage, watch):
        self.api, self.watch, self.token = stage.api, watch, stage.tokens["member"]
        self.problems = []

    def go(self):
        before = self.watch.held()
        # Without these, a service that takes no image at all would do.
        for name, kind, data in (("qcow2 without data", "qcow2", disks.SOUND), *sound()):
            self.expect(name, kind, data, "active")
        for name, kind, data in disks.REFUSED:
            self.expect(name, kind, data, "queued")
        if not self.wait(lambda: self.watch.held() == before):
            self.problems.append(f"something is left of images that are gone: {sorted(self.watch.held() ^ before)[:5]}")
        return self.problems

    def expect(self, name, kind, data, status):
        for way in (self.upload, self.bring_in):
            path = "/image/v2/images/" + self.api.call("POST", "/image/v2/images", {
                "name": "trial", "disk_format": kind, "container_format": "bare"}, token=self.token)["id"]
            found = way(path, data, status == "active")
            image = self.api.call("GET", path, token=self.token)
            if image["status"] != status:
                found.append(f"the image is {image['status']}, not {status}")
            if bool(image.get("checksum")) != (status == "active"):
                found.append(f"its checksum is {image.get('checksum')}")
            # At once, as nobody else knows of it, and for good.
            for method, expected in (("DELETE", 204), ("GET", 404)):
                answer = self.api.send(method, path, token=self.token)
                if answer.status != expected:
                    found.append(f"{method} at the end: {told(answer)}")
            self.problems += [f"{name}, {way.__name__}: {problem}" for problem in found]

    def upload(self, path, data, is_sound):
        """Gives what is wrong with the answer."""
        answer = self.api.send("PUT", path + "/file", data, token=self.token)
        if answer.status != (204 if is_sound else 415):
            return [f"the upload was not {'taken' if is_sound else 'refused as it should'}: {told(answer)}"]
        return [] if is_sound or json.loads(answer.body).get("message") else ["no reason was given"]

    def bring_in(self, path, data, is_sound):
        """Stages and imports. Gives what is wrong with the answers and the task."""
        # What an image is, is looked at behind the answer: also the hostile ones come so far.
        for method, place, body, expected in (
                ("PUT", "/stage", data, 204), ("POST", "/import", {"method": {"name": "glance-direct"}}, 202)):
            answer = self.api.send(method, path + place, body, token=self.token)
            if answer.status != expected:
                return [f"{method} {place} was not taken: {told(answer)}"]
        if not self.wait(lambda: self.task(path)["status"] in ("success", "failure")):
            return [f"the import does not end: {self.task(path)}"]
        task = self.task(path)
        if task["status"] != ("success" if is_sound else "failure"):
            return [f"the import ended as {task['status']}: {task['message']}"]
        return [] if is_sound or task["message"] else ["no reason was given"]

    def task(self, path):
        return self.api.call("GET", path + "/tasks", token=self.token)["tasks"][-1]

    def wait(self, condition):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def sound():
    """(what it is, the image's disk_format, bytes), made by qemu-img."""
    with tempfile.TemporaryDirectory(prefix="skerry-hostile-") as folder:
        folder = pathlib.Path(folder)
        raw = folder / "raw"
        formats.write_raw(raw)
        yield "sound raw", "raw", raw.read_bytes()
        for name, (kind, options) in formats.SOUND.items():
            formats.convert(raw, folder / name, kind, options)
            yield f"sound {name}", name.split("-")[0], (folder / name).read_bytes()


def told(answer):
    return f"{answer.status} {answer.body[:200]!r}"
