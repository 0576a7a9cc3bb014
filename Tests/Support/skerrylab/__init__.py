"""What the lab tests stand on: hosts made of namespaces, clouds on them, and the hosts' own view of what is there."""
