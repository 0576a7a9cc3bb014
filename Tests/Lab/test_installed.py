"""The Debian packages on a fresh Debian 12 with systemd, from a folder and without a network: what installing, starting,
restarting, stopping, removing and purging them does there. The system is user-mode-linux's; see skerrylab/debian.py."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from skerrylab import debian, programs

HERE = pathlib.Path(__file__).resolve().parent
DAEMONS = ["skerry-coordinator", "skerry-agent"]
# `systemd-analyze security`: the lower, the less a daemon that was taken over can do.
EXPOSURE = {"skerry-coordinator": 3.0, "skerry-agent": 6.5}


def dependencies(repository):
    """What the packages depend on besides each other."""
    lists = [
        subprocess.run(["dpkg-deb", "-f", file, "Depends"], check=True, capture_output=True, text=True).stdout
        for file in sorted(repository.glob("*.deb"))]
    wanted = {part.strip() for text in lists for part in text.split(",") if part.strip()}
    return ", ".join(sorted(part for part in wanted if not part.startswith("skerry")))


class Facts:
    def __init__(self, folder, ended):
        self.folder, self.ended = folder, ended

    def __getitem__(self, name):
        return (self.folder / name).read_text(errors="replace")

    def status(self, name):
        return int((self.folder / f"{name}.status").read_text())


@pytest.fixture(scope="module")
def facts():
    # Not pytest's folder: user-mode-linux wants short names.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="skerry-installed-"))
    try:
        environment = {**os.environ, "SKERRY_BINARIES": str(programs.binaries())}
        repository = folder / "repository"
        subprocess.run(
            [programs.REPOSITORY / "packaging" / "deb", "--output", repository], env=environment, check=True,
            stdout=subprocess.DEVNULL, timeout=600)
        shutil.copy(HERE / "installed.sh", folder / "command")
        ended = debian.run_in_debian(debian.image(dependencies(repository)), folder, seconds=400)
        print(ended.result)
        ended.check()
        yield Facts(folder / "facts", ended)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("step", [
    "update", "install", "answers", "tls", "verify", "join", "start", "joined", "again", "reinstall", "reinstalled",
    "timer", "backup", "stop", "restarted", "remove", "purge",
    *(f"{what}_{daemon}" for what in ("restart", "survives") for daemon in DAEMONS)])
def test_each_step_works(facts, step):
    assert facts.status(step) == 0, facts[step]


def test_the_coordinator_runs_once_installed_and_the_agent_once_joined(facts):
    assert "ActiveState=active" in facts["coordinator_state"] and "UnitFileState=enabled" in facts["coordinator_state"]
    assert "ActiveState=inactive" in facts["agent_state"] and "UnitFileState=enabled" in facts["agent_state"]
    assert "ConditionResult=no" in facts["agent_state"]


def test_secrets_are_closed_to_others(facts):
    modes = {name: (mode, owner) for mode, owner, name in map(str.split, facts["modes"].splitlines())}
    assert modes["/etc/skerry/admin-password"] == modes["/etc/skerry/clouds.yaml"] == ("600", "root:root")
    assert modes["/etc/skerry/coordinator.yaml"] == ("640", "root:skerry")
    assert modes["/run/skerry/coordinator.sock"] == ("600", "skerry:skerry")
    assert modes["/var/lib/skerry/coordinator"] == ("755", "skerry:skerry")


def test_units_and_manuals_have_no_warnings(facts):
    assert facts["verify"] == "" and facts["manuals"] == ""


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_daemon_that_is_taken_over_can_do_little(facts, daemon):
    found = re.search(r"exposure level for \S+: ([0-9.]+)", facts[f"security_{daemon}"])
    assert float(found[1]) <= EXPOSURE[daemon], facts[f"security_{daemon}"]


def test_installing_again_keeps_what_was_changed_and_made(facts):
    assert facts["kept_configuration"] == "# mine\n"
    assert facts.status("kept_authority") == 0


def test_the_timer_s_backup_is_the_coordinators_alone(facts):
    mode, owner, size = facts["backups"].split()
    assert (mode, owner) == ("600", "skerry") and int(size) > 100_000


def test_daemons_stop_without_an_error(facts):
    assert facts["stopped"].count("ActiveState=inactive") == 2 and facts["stopped"].count("Result=success") == 2
    assert facts["journal"].strip() == ""


def test_removing_keeps_configuration_and_state(facts):
    assert facts.status("kept") == 0, facts["kept"]
    assert " running " not in facts["removed"]


def test_purging_leaves_nothing(facts):
    assert facts["after"].splitlines() == facts["before"].splitlines()
    assert facts["processes"] == ""
