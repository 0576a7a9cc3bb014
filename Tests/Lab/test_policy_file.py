"""The operator's file of rules: taken while the coordinator runs, refused as a whole when it is wrong. Needs no lab
host."""
import signal
import subprocess

from skerrylab.private import PrivateCloud
from skerrylab.programs import command
from skerrylab.waiting import eventually

IMAGES = "/image/v2/images"
NOBODY = '"get_images": "!"\n'
# A rule that there is not, and an expression that ends in its middle.
WRONG = '# ours\n"get_imagez": "role:admin"\n"add_image": "role:admin and"\n'


class Rules:
    """The file, and what the coordinator makes of it."""

    def __init__(self, cloud):
        self.cloud, self.file = cloud, cloud.folder / "policy.yaml"
        self.admin = cloud.client()
        self.admin.log_in("admin", cloud.password, "admin")

    def take_effect(self, status):
        eventually(f"listing images answers {status}", lambda: self.admin.send("GET", IMAGES).status == status, 15)

    def status(self):
        """Its exit status, and what it says."""
        done = subprocess.run(
            command("skerry", "policy", "status", "--socket", self.cloud.socket), capture_output=True, text=True,
            timeout=30)
        return done.returncode, done.stdout


def test_rules_come_and_go_without_a_restart():
    cloud = PrivateCloud({"policy_file": "policy.yaml"})
    (cloud.folder / "policy.yaml").write_text("# nothing yet\n")
    with cloud:
        rules = Rules(cloud)
        process = cloud.coordinator.pid
        rules.take_effect(200)
        rules.file.write_text(NOBODY)
        rules.take_effect(403)
        status, said = rules.status()
        assert status == 0 and " 1 of " in said

        rules.file.write_text(WRONG)
        log = eventually("the wrong file is refused", lambda: refusal(cloud), 15)
        assert "line 2" in log and "line 3" in log and "get_imagez" in log
        assert rules.admin.send("GET", IMAGES).status == 403, "the old rules stay in force"
        status, said = rules.status()
        assert status != 0 and "line 2" in said and "line 3" in said

        rules.file.unlink()
        rules.file.write_text('"get_images": "role:reader"\n')
        cloud.coordinator.send_signal(signal.SIGHUP)
        rules.take_effect(200)
        assert cloud.coordinator.pid == process and cloud.coordinator.poll() is None


def refusal(cloud):
    return next((line for line in cloud.log("skerry-coordinator").splitlines() if "policy file refused" in line), None)


def test_a_wrong_file_refuses_the_start_with_every_line():
    cloud = PrivateCloud({"policy_file": "policy.yaml"})
    try:
        (cloud.folder / "policy.yaml").write_text(WRONG)
        cloud.initialize()
        process = cloud.spawn("skerry-coordinator", "run", "--config", cloud.configuration)
        assert process.wait(30) != 0
        log = cloud.log("skerry-coordinator")
        assert "line 2" in log and "line 3" in log and "policy.yaml" in log
    finally:
        cloud.stop()
