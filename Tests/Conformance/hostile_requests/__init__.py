"""Generates requests nobody should send, and judges what the services make of them."""
