"""The body of a route by its name in the tables."""
from . import bodies, compute_bodies, network_bodies, volume_bodies

MODULES = (bodies, network_bodies, compute_bodies, volume_bodies)
OWN = {"/network": network_bodies, "/compute": compute_bodies, "/volume": volume_bodies}


def body(route, generator):
    for module in (OWN.get(route.service, bodies), *MODULES):
        if hasattr(module, route.body):
            return getattr(module, route.body)(generator)
    raise LookupError(route.body)
