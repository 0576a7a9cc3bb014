"""A backup of a running cloud with simulated hosts, restored elsewhere. Needs no lab host."""
import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import threading

import pytest

from skerrylab import programs
from skerrylab.private import PrivateCloud
from skerrylab.waiting import eventually

PASSPHRASE = "correct horse battery staple"
CONTENT = b"skerry" * 40_000
# What clients see of a cloud.
SEEN = [
    "/identity/v3/users", "/identity/v3/projects", "/identity/v3/domains", "/identity/v3/role_assignments",
    "/identity/v3/services", "/identity/v3/endpoints", "/image/v2/images", "/compute/v2.1/servers/detail",
    "/compute/v2.1/flavors/detail", "/compute/v2.1/os-keypairs", "/network/v2.0/networks", "/network/v2.0/subnets",
    "/network/v2.0/ports", "/network/v2.0/security-groups"]
# What goes on by itself.
MOVING = {"last_active_at", "updated", "updated_at", "OS-EXT-STS:task_state", "revision_number"}


class Cloud(PrivateCloud):
    def __init__(self, settings=None, hosts=2):
        super().__init__(settings, hosts)
        self.secret = self.folder / "passphrase"
        self.secret.write_text(PASSPHRASE + "\n")

    def set_up(self):
        super().set_up()
        self.admin = self.client()
        self.admin.log_in("admin", self.password, "admin")

    def backup(self, *arguments):
        return programs.run("skerry-coordinator", "backup", "--config", self.configuration, *arguments)

    def restore(self, *arguments):
        """Its exit status, and what it says."""
        done = subprocess.run(
            programs.command("skerry-coordinator", "restore", "--config", self.configuration, *arguments),
            capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def move(self, name="elsewhere", settings=None):
        """From now on the cloud is to be in another folder, of which there is nothing."""
        self.state = self.folder / name
        self.certificate = self.state / "ca" / "ca.crt"
        self.configure(settings)

    def up(self):
        listed = programs.run("skerry", "node", "list", "--socket", self.socket).splitlines()
        return sum(" up " in f"{line} " for line in listed)

    def wait_up(self):
        eventually("the hosts are up", lambda: self.up() == self.hosts, 60, tolerate=AssertionError)

    def fill(self):
        call = self.admin.call
        project = call("POST", "/identity/v3/projects", {"project": {"name": "tenants"}})["project"]["id"]
        user = call("POST", "/identity/v3/users", {"user": {
            "name": "tenant", "password": "of a tenant", "default_project_id": project}})["user"]["id"]
        role = next(r["id"] for r in call("GET", "/identity/v3/roles")["roles"] if r["name"] == "member")
        call("PUT", f"/identity/v3/projects/{project}/users/{user}/roles/{role}")
        self.image = call("POST", "/image/v2/images", {
            "name": "any", "disk_format": "raw", "container_format": "bare"})["id"]
        call("PUT", f"/image/v2/images/{self.image}/file", CONTENT)
        self.flavor = call("POST", "/compute/v2.1/flavors", {"flavor": {
            "name": "tiny", "ram": 64, "vcpus": 1, "disk": 1}})["flavor"]["id"]
        self.network = call("POST", "/network/v2.0/networks", {"network": {"name": "net"}})["network"]["id"]
        call("POST", "/network/v2.0/subnets", {"subnet": {
            "network_id": self.network, "ip_version": 4, "cidr": "10.5.0.0/24"}})

    def boot(self, name):
        server = self.admin.call("POST", "/compute/v2.1/servers", {"server": {
            "name": name, "imageRef": self.image, "flavorRef": self.flavor,
            "networks": [{"uuid": self.network}]}})["server"]["id"]
        self.wait_status(server, "ACTIVE")
        return server

    def wait_status(self, server, status):
        def reached():
            shown = self.admin.call("GET", f"/compute/v2.1/servers/{server}")["server"]
            assert shown["status"] != "ERROR", shown.get("fault")
            return shown["status"] == status and not shown["OS-EXT-STS:task_state"]
        eventually(f"the server is {status}", reached, 60)

    def delete(self, server):
        assert self.admin.send("DELETE", f"/compute/v2.1/servers/{server}").status == 204
        eventually(
            "the server is gone", lambda: self.admin.send("GET", f"/compute/v2.1/servers/{server}").status == 404, 60)

    def seen(self):
        return {path: plain(self.admin.call("GET", path)) for path in SEEN}


def plain(value):
    """Without what goes on by itself, and without an order of things in lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in MOVING}
    if isinstance(value, list):
        return sorted((plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def tree(folder):
    """Every file below a folder, with what is in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*")) if not path.is_socket()}


class Writer:
    """Writes into the cloud for as long as the block lasts."""

    def __init__(self, cloud):
        self.client, self.ended, self.count = cloud.client(cloud.admin.token), threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ended.is_set():
            network = self.client.call("POST", "/network/v2.0/networks", {"network": {"name": "passing"}})["network"]
            self.client.call("DELETE", f"/network/v2.0/networks/{network['id']}")
            self.count += 1

    def __enter__(self):
        self.thread.start()
        eventually("it writes", lambda: self.count > 0, 20, every=0.02)
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def test_a_running_cloud_is_restored_elsewhere():
    with Cloud() as cloud:
        cloud.wait_up()
        cloud.fill()
        servers = [cloud.boot(f"server-{number}") for number in range(3)]
        file = cloud.folder / "yesterday.age"
        with Writer(cloud) as writer:
            before = writer.count
            said = cloud.backup("--passphrase-file", cloud.secret, "--images", file)
            assert writer.count > before, "nothing was written meanwhile"
        assert hashlib.sha256(file.read_bytes()).hexdigest() in said
        assert file.stat().st_mode & 0o777 == 0o600 and not (cloud.state / ".backup").exists()
        seen = cloud.seen()
        # What the backup has not heard of.
        late = cloud.boot("late")
        cloud.kill_coordinator()

        cloud.move()
        status, said = cloud.restore("--passphrase-file", cloud.secret, file)
        assert status == 0, said
        cloud.start_coordinator()
        cloud.admin = cloud.client()
        cloud.admin.log_in("admin", cloud.password, "admin")
        cloud.client().log_in("tenant", "of a tenant", "tenants")
        cloud.wait_up()
        again = cloud.seen()
        # A network that was there for a moment may have been there at the backup's.
        again["/network/v2.0/networks"]["networks"] = [
            network for network in again["/network/v2.0/networks"]["networks"] if network["name"] != "passing"]
        assert again == seen
        assert cloud.admin.send("GET", f"/image/v2/images/{cloud.image}/file").body == CONTENT

        # Nothing is destroyed for being unknown: its host has it still, and says so.
        assert cloud.admin.send("GET", f"/compute/v2.1/servers/{late}").status == 404
        eventually("a host says that it keeps the server", lambda: late in kept(cloud), 30)

        for server in servers:
            cloud.wait_status(server, "ACTIVE")
            assert cloud.admin.send(
                "POST", f"/compute/v2.1/servers/{server}/action", {"reboot": {"type": "HARD"}}).status == 202
            cloud.wait_status(server, "ACTIVE")
        cloud.delete(cloud.boot("afterwards"))
        for server in servers:
            cloud.delete(server)
        assert late in kept(cloud)
        events = programs.run("skerry", "audit", "--since", "1h", "--socket", cloud.socket)
        assert "cloud.restore" in events


def kept(cloud):
    """What the hosts say of what they have and are not to have."""
    nodes = cloud.admin.call("GET", "/skerry/v1/nodes")["nodes"]
    return "\n".join(problem for node in nodes for problem in node["problems"])


def test_what_is_wrong_with_a_backup_is_found_before_anything_is_written():
    with Cloud(hosts=0) as cloud:
        file = cloud.folder / "backup.age"
        cloud.backup("--passphrase-file", cloud.secret, file)
        cloud.stop_coordinator()
        there = tree(cloud.state)
        status, said = cloud.restore("--passphrase-file", cloud.secret, file)
        assert status != 0 and "already" in said and tree(cloud.state) == there

        cloud.move()
        before = sorted(path.name for path in cloud.folder.iterdir())

        def refuses(secret, bad):
            status, said = cloud.restore("--passphrase-file", secret, bad)
            assert status != 0 and "Restored" not in said
            assert not cloud.state.exists()
            return said

        whole = file.read_bytes()
        wrong, bad = cloud.folder / "wrong", cloud.folder / "bad.age"
        wrong.write_text("correct horse battery stable\n")
        assert "passphrase" in refuses(wrong, file)
        for content in [b"", whole[:100], whole[: len(whole) // 2], whole[:-1], whole + b"x", b"no backup\n" * 100]:
            bad.write_bytes(content)
            refuses(cloud.secret, bad)
        for place in [5, 60, 150, 400, len(whole) // 3, len(whole) - 5]:
            flipped = bytearray(whole)
            flipped[place] ^= 4
            bad.write_bytes(flipped)
            refuses(cloud.secret, bad)
        for path in (wrong, bad):
            path.unlink()
        assert sorted(path.name for path in cloud.folder.iterdir()) == before

        status, said = cloud.restore("--passphrase-file", cloud.secret, "--check", file)
        assert status == 0 and "Whole" in said and not cloud.state.exists()
        status, said = cloud.restore("--passphrase-file", cloud.secret, file)
        assert status == 0, said
        # A cloud that is there is put aside when that is wished, and not lost.
        status, said = cloud.restore("--passphrase-file", cloud.secret, "--replace", file)
        assert status == 0, said
        (aside,) = cloud.folder.glob("elsewhere.before-*")
        assert (aside / "skerry.db").exists() and str(aside) in said
        cloud.start_coordinator()
        # While it runs, nobody takes its place.
        status, said = cloud.restore("--passphrase-file", cloud.secret, "--replace", file)
        assert status != 0 and "coordinator" in said
        cloud.client().log_in("admin", cloud.password, "admin")


def test_backups_of_a_schedule_come_and_the_oldest_go():
    with Cloud(hosts=0) as cloud:
        folder = cloud.folder / "backups"
        assert cloud.backup("--if-scheduled") == ""
        cloud.configure({"backup": {"directory": str(folder), "passphrase_file": str(cloud.secret), "keep": 2}})
        folder.mkdir()
        for name in ("skerry-20200101T000000Z.age", "skerry-20200102T000000Z.age", "notes"):
            (folder / name).touch()
        cloud.backup("--if-scheduled")
        left = sorted(path.name for path in folder.iterdir())
        assert left[:2] == ["notes", "skerry-20200102T000000Z.age"] and len(left) == 3
        status, said = cloud.restore("--passphrase-file", cloud.secret, "--check", folder / left[2])
        assert status == 0, said


@pytest.fixture
def server():
    """A PostgreSQL server: its URL, in which the database's name is to be replaced, and how a database is made in it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="skerry-postgres-"))
    process = subprocess.Popen(
        [programs.REPOSITORY / "packaging" / "lib" / "private-postgres", "sh", "-c",
         f"echo $SKERRY_TEST_STORE_URL >{folder}/new && mv {folder}/new {folder}/url && exec sleep 300"],
        preexec_fn=programs.die_with_parent)
    try:
        eventually("the server is there", (folder / "url").exists, 60)
        yield (folder / "url").read_text().strip()
    finally:
        programs.end(process)
        shutil.rmtree(folder)


def database(server, name):
    host = server.split("host=")[1].split("&")[0]
    subprocess.run(
        ["createdb", "--host", host, "--username", "skerry", "--template=template0", "--encoding=UTF8", "--locale=C",
         name], check=True)
    return {"store": {"url": server.replace("/postgres?", f"/{name}?")}}


@pytest.mark.skipif(not shutil.which("createdb"), reason="Debian's postgresql is not installed")
def test_a_backup_comes_from_and_goes_to_either_engine(server):
    with Cloud(database(server, "first"), hosts=0) as cloud:
        cloud.fill()
        seen = cloud.seen()
        for number, settings in enumerate([database(server, "second"), {}, database(server, "third")]):
            file = cloud.folder / f"backup-{number}.age"
            cloud.backup("--passphrase-file", cloud.secret, "--images", file)
            cloud.stop_coordinator()
            cloud.move(f"elsewhere-{number}", settings)
            status, said = cloud.restore("--passphrase-file", cloud.secret, file)
            assert status == 0, said
            assert (cloud.state / "skerry.db").exists() == (not settings)
            cloud.start_coordinator()
            cloud.admin = cloud.client()
            cloud.admin.log_in("admin", cloud.password, "admin")
            assert cloud.seen() == seen


@pytest.mark.skipif(not shutil.which("age"), reason="Debian's age is not installed")
def test_age_and_tar_open_a_backup_without_skerry():
    with Cloud(hosts=0) as cloud:
        key, file = cloud.folder / "key", cloud.folder / "backup.age"
        subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
        recipient = next(line for line in key.read_text().splitlines() if "public key" in line).split()[-1]
        cloud.backup("--recipient", recipient, file)
        opened = subprocess.run(["age", "-d", "-i", key, file], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(opened)) as tape:
            contents = {member.name: tape.extractfile(member).read() for member in tape}
        manifest = json.loads(contents.pop("manifest.json"))
        assert {part["name"]: part["sha256"] for part in manifest["files"]} == {
            name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        assert {"skerry.db", "ca/ca.crt", "ca/ca.key", "keys/sealing.key", "configuration/coordinator.yaml"} == set(contents)
        # And the other way round: what age sealed is opened here.
        sealed = cloud.folder / "sealed.age"
        subprocess.run(["age", "-r", recipient, "-o", sealed], input=opened, check=True)
        for backup in (file, sealed):
            status, said = cloud.restore("--identity-file", key, "--check", backup)
            assert status == 0 and "Whole" in said, said
