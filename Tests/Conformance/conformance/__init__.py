"""Runs tempest and the OpenStack clients against a cloud that is made for the run."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Support"))
