"""What one who helps is given: enough to see what is going on, and nothing that was secret. Needs no lab host."""
import base64
import secrets

from skerrylab import programs
from skerrylab.private import PrivateCloud

LIMIT = 10_000_000
KEY = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(32)).decode()


class Planted:
    """Secrets, each of its own, put wherever a person might have one."""

    def __init__(self):
        self.values = []

    def __call__(self):
        self.values.append("s3cr3t" + secrets.token_hex(8))
        return self.values[-1]

    def found(self, text):
        forms = {form for value in self.values for form in (value, base64.b64encode(value.encode()).decode()[:16])}
        return sorted(form for form in forms if form in text)


def plant(cloud, secret):
    admin = cloud.client()
    admin.log_in("admin", cloud.password, "admin")
    call = admin.call
    secret.values.append(cloud.password)
    secret.values.append(admin.token)
    user = call("POST", "/identity/v3/users", {"user": {
        "name": secret(), "password": secret(), "email": secret(), "description": secret()}})["user"]["id"]
    call("POST", "/identity/v3/projects", {"project": {"name": secret(), "description": secret()}})
    call("POST", "/identity/v3/credentials", {"credential": {"type": "totp", "blob": secret(), "user_id": user}})
    call("POST", "/image/v2/images", {"name": secret(), "tags": [secret()]})
    call("POST", "/network/v2.0/networks", {"network": {"name": secret(), "description": secret()}})
    call("POST", "/compute/v2.1/os-keypairs", {"keypair": {
        "name": secret(), "public_key": f"ssh-ed25519 {KEY} {secret()}"}})
    # Refusals, which quote what was asked for.
    for path in (f"/image/v2/images/{secret()}", f"/network/v2.0/networks/{secret()}", f"/identity/v3/users/{secret()}"):
        assert admin.send("GET", path).status in (400, 404)
    assert admin.send("POST", "/network/v2.0/networks", {"network": {secret(): secret()}}).status == 400
    stranger = cloud.client()
    answer = stranger.send("POST", "/identity/v3/auth/tokens", {"auth": {"identity": {
        "methods": ["password"], "password": {
            "user": {"name": secret(), "domain": {"id": "default"}, "password": secret()}}}}})
    assert answer.status == 401
    secret.values.append(programs.run("skerry", "node", "token", "--socket", cloud.socket).strip())


def test_bundles_tell_of_the_cloud_and_of_no_secret():
    secret = Planted()
    with PrivateCloud(hosts=1) as cloud:
        plant(cloud, secret)
        cloud.configuration.write_text(
            cloud.configuration.read_text()
            + f"\n# {secret()}\n")
        with open(cloud.folder / "agent.yaml", "a") as file:
            file.write(f"\n# {secret()}\n")
        bundle = cloud.folder / "coordinator.txt"
        programs.run("skerry-coordinator", "support-bundle", "--config", cloud.configuration, bundle)
        text = bundle.read_text()
        assert bundle.stat().st_size < LIMIT and bundle.stat().st_mode & 0o777 == 0o600
        for part in ("== machine", "read: yes", "api.listen: 127.0.0.1:", "engine: SQLite", "fleet: ", "nodes: 1",
                     "network_networks: 1", " identity.credential.create success 1"):
            assert part in text, (part, text)
        assert not secret.found(text)

        agents = cloud.folder / "agent.txt"
        programs.run("skerry-agent", "support-bundle", "--config", cloud.folder / "agent.yaml", agents)
        text = agents.read_text()
        for part in ("== machine", "read: yes", "driver: simulated", "== plan"):
            assert part in text, (part, text)
        assert not secret.found(text)

        # A configuration that is refused is what help is asked for: it tells where, and not what.
        wrong = cloud.folder / "wrong.yaml"
        wrong.write_text(f"store:\n  url: postgresql://skerry:{secret()}@nowhere/skerry\n{secret()}: {secret()}\n")
        other = cloud.folder / "other.txt"
        programs.run("skerry-coordinator", "support-bundle", "--config", wrong, other)
        assert "read: no" in other.read_text() and not secret.found(other.read_text())
