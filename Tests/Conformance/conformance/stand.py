"""A cloud with what the tests of some services need, and a web server beside it."""
import contextlib
import pathlib
import shutil
import tempfile

from skerrylab.private import PrivateCloud

from . import seed, settings
from .client import Client
from .webserver import WebServer


class Stand(contextlib.ExitStack):
    """`facts` is what tempest.conf needs to know. The daemons' logs are copied to `logs` at the end.

    `configure` gives the coordinator's settings for a web server on a port, see `settings`.
    """

    def __init__(self, needs=(), hosts=0, logs=None, configure=settings.plain):
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="skerry-conformance-"))
        self.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self.web = WebServer(self.folder / "web")
            self.callback(self.web.stop)
            self.cloud = self.enter_context(PrivateCloud(configure(self.web.port), hosts, objects="objects" in needs))
            if logs:
                self.callback(self.keep_logs, logs)
            client = Client(self.cloud)
            seeds = {}
            for need in needs:
                seeds.update(seed.MAKERS[need](client, self))
        except BaseException:
            self.close()
            raise
        locks = self.folder / "locks"
        locks.mkdir()
        self.facts = settings.Facts(
            identity_url=self.cloud.identity_url, certificate=str(self.cloud.certificate),
            password=self.cloud.password, lock_folder=str(locks), catalog=client.catalog, seeds=seeds)

    def keep_logs(self, logs):
        for log in self.cloud.folder.glob("*.log"):
            shutil.copy(log, logs)
