"""The Python environment with tempest and the clients: exact versions, from PyPI, made once."""
import os
import pathlib
import shutil
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
REQUIREMENTS = REPOSITORY / "Tests" / "Conformance" / "requirements.txt"
FOLDER = REPOSITORY / ".build-release" / "conformance-venv"
PYTHON = FOLDER / "bin" / "python3"


def enter():
    """Returns inside of the environment: made when missing or out of date, and the program started again in it."""
    if pathlib.Path(sys.prefix) == FOLDER:
        return
    if not is_current():
        make()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.execv(PYTHON, [str(PYTHON), *sys.argv])


def is_current():
    stamp = FOLDER / "requirements.txt"
    return stamp.exists() and stamp.read_bytes() == REQUIREMENTS.read_bytes()


def make():
    print(f"Python environment (kept in {FOLDER.relative_to(REPOSITORY)})", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    for command in (
            [sys.executable, "-m", "venv", FOLDER],
            # The list is complete, and proven as a whole: nothing is to be resolved.
            [PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check",
             "--requirement", REQUIREMENTS]):
        if subprocess.run([str(part) for part in command]).returncode:
            sys.exit("The Python packages could not be installed: check the network and pip's index.")
    shutil.copy(REQUIREMENTS, FOLDER / "requirements.txt")
