"""Debian packages: built from the programs that the lab runs, the same bytes twice, and what Debian's own checker says."""
import hashlib
import os
import subprocess

import pytest

from skerrylab import programs

BUILD = programs.REPOSITORY / "packaging" / "deb"
PROGRAMS = {"skerry": "usr/bin/skerry", "skerry-agent": "usr/bin/skerry-agent",
            "skerry-coordinator": "usr/bin/skerry-coordinator"}


def build(folder):
    environment = {**os.environ, "SKERRY_BINARIES": str(programs.binaries())}
    subprocess.run([BUILD, "--output", folder], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=600)
    return folder


def output(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("deb"))


def package(folder, name):
    (file,) = folder.glob(f"{name}_*.deb")
    return file


def listing(folder, name):
    return {line.split()[5].removeprefix("./") for line in output("dpkg-deb", "-c", package(folder, name)).splitlines()}


def test_the_same_sources_give_the_same_bytes(built, tmp_path):
    def digests(folder):
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}

    assert digests(build(tmp_path)) == digests(built)


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_has_its_program_manual_and_completions(built, name):
    files = listing(built, name)
    assert {PROGRAMS[name], f"usr/share/man/man8/{name}.8.gz", f"usr/share/bash-completion/completions/{name}",
            f"usr/share/zsh/vendor-completions/_{name}", f"usr/share/fish/vendor_completions.d/{name}.fish"} <= files


@pytest.mark.parametrize("name", ["skerry-agent", "skerry-coordinator"])
def test_daemons_have_units_that_run_what_is_installed(built, name, tmp_path):
    subprocess.run(["dpkg-deb", "-x", package(built, name), tmp_path], check=True)
    unit = (tmp_path / "lib/systemd/system" / f"{name}.service").read_text()
    assert f"ExecStart=/usr/bin/{name} run" in unit and "/usr/local" not in unit
    conffiles = output("dpkg-deb", "-I", package(built, name), "conffiles").split()
    assert f"/etc/skerry/{name.removeprefix('skerry-')}.yaml" in conffiles


def test_articles_can_be_read_in_a_browser(built):
    files = listing(built, "skerry-doc")
    assert any(file.endswith("index.html") for file in files), sorted(files)


def test_the_folder_is_a_repository(built):
    text = (built / "Packages").read_text()
    for name in [*PROGRAMS, "skerry-doc"]:
        assert f"Package: {name}\n" in text and package(built, name).name in text
    index = hashlib.sha256(text.encode()).hexdigest()
    assert index in (built / "Release").read_text()


def test_lintian_finds_nothing(built):
    # The programs have function names and no more, which it misses in packages of debug symbols.
    packages = [file for file in built.glob("*.deb") if "-dbgsym_" not in file.name]
    found = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *packages],
                           capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
