"""A coordinator by itself: plain HTTP on loopback, in a folder of its own, to be killed and started at will."""
import os
import pathlib

from . import database
from .private import PrivateCloud
from .waiting import eventually

# What grows with use and is cleared in its own time: events, the feed of changes, the tasks of the last days, names of
# contents.
LASTING = {"events", "event_cursors", "image_tasks", "image_blobs", "feed_topics", "feed_changes",
           "image_former_ids"}
IMAGES = "/image/v2/images"


class Coordinator(PrivateCloud):
    """Use as a context; `images` is what the configuration says below `images:`.

    When the block is left without an exception, its images are deleted, and nothing of them may stay.
    """

    def __init__(self, images=None, tls=False):
        super().__init__(self.settings(images), tls=tls)
        self.images = self.state / "images"

    @staticmethod
    def settings(images):
        return {"images": images} if images is not None else {}

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                self.check()
                self.leave_nothing()
        finally:
            super().__exit__(kind, *rest)
        if kind is None:
            outlived = eventually_none(lambda: users_of(self.folder), 10)
            assert not outlived, f"outlived the coordinator: {outlived}"

    def set_up(self):
        super().set_up()
        self.admin = self.client()
        self.admin.log_in("admin", self.password, "admin")
        self.call = self.admin.send
        self.counted = self.count_rows()

    start = PrivateCloud.start_coordinator
    kill = PrivateCloud.kill_coordinator

    # Its insides

    def rows(self, query, *values):
        return database.rows(self.state, query, *values)

    def count_rows(self):
        """By table."""
        names = [name for name, in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: self.rows(f'SELECT count(*) FROM "{name}"')[0][0] for name in names if name not in LASTING}

    def files(self):
        """The contents and the parts in the blob store."""
        names = {path.name for path in self.images.iterdir()}
        return {name for name in names if not name.startswith("part-")}, {n for n in names if n.startswith("part-")}

    # Leftovers

    def tidy(self):
        """Every file is somebody's, what somebody has is there, and nobody is in between."""

        def disagreement():
            hashes = {row[0] for row in self.rows("SELECT sha512 FROM images WHERE sha512 IS NOT NULL")}
            parts = {row[0] for row in self.rows("SELECT file FROM image_parts")}
            blobs, files = self.files()
            between = self.rows("SELECT uuid, status FROM images WHERE status IN ('saving', 'importing')")
            return [*between, *(blobs ^ hashes), *(files ^ parts)]

        wrong = eventually_none(disagreement, 60)
        assert not wrong, f"files and database do not agree: {wrong}"

    def leave_nothing(self):
        """Deletes the images. Then there are no files, no processes, and as many rows as at the start."""
        while images := self.call("GET", IMAGES).json["images"]:
            for image in images:
                assert self.call("DELETE", f"{IMAGES}/{image['id']}").status == 204

        def left():
            counts = self.count_rows()
            return [
                *self.files()[0], *self.files()[1],
                *((name, counts[name] - self.counted[name]) for name in counts if counts[name] != self.counted[name]),
                *users_of(self.folder, apart_from=self.coordinator.pid)]

        wrong = eventually_none(left, 60)
        assert not wrong, f"left behind by images that are gone: {wrong}"


def eventually_none(look, seconds):
    """Waits until `look` finds nothing any more. Gives what it still finds when the time is over."""
    found = None

    def is_gone():
        nonlocal found
        found = look()
        return not found

    try:
        eventually("nothing is found", is_gone, seconds, every=0.02)
    except AssertionError:
        return found
    return None


def users_of(folder, apart_from=None):
    """Processes that were given files of the folder, by pid: those that name it, and those in a box with some of it."""
    mark = folder.name.encode()
    ours = os.readlink("/proc/self/ns/mnt")
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        pid = int(process.name)
        if pid in (apart_from, os.getpid()):
            continue
        try:
            command = (process / "cmdline").read_bytes()
            is_in_box = os.readlink(process / "ns" / "mnt") != ours
            if mark in command or (is_in_box and mark in (process / "mountinfo").read_bytes()):
                found[pid] = command.decode(errors="replace").replace("\0", " ")[:300]
        except OSError:
            continue
    return found
