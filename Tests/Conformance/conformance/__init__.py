"""Runs tempest and the OpenStack clients against a cloud that is made for the run."""
