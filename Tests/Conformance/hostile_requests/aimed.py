"""Every route once for every caller without rights, with the victim's ids: none may succeed."""
import re
from urllib.parse import quote

from . import making, routes, text
from .generator import Request

STRANGERS = ("manager", "member", "reader", "foreigner", "restricted", "trustee", "unscoped", "none")
# Everybody in a domain may look at the domain itself.
VISIBLE = {"domain"}


def requests(generator, callers=len(STRANGERS)):
    """`callers` is how many of the strangers ask on each route; they take turns."""
    for number, route in enumerate(routes.ALL):
        for turn in range(callers):
            caller = STRANGERS[(number * callers + turn) % len(STRANGERS)]
            if aims(generator, route):
                yield one(generator, route, caller, "")
            for name in route.filters:
                kind = name.replace("scope.", "").replace(".", "_").removesuffix("_id").split("_")[-1]
                if kind in generator.stage.planted:
                    yield one(generator, route, caller, f"{name}={generator.stage.planted[kind]}")


def aims(generator, route):
    return any(kind in generator.stage.planted for kind in route.parameters)


def one(generator, route, caller, query):
    generator.number += 1
    generator.caller, generator.is_powerful = caller, False
    request = Request(generator.number, caller, route, "aimed")
    planted = generator.stage.planted
    request.path = route.service + re.sub(r"\{(\w+)\}", lambda found: quote(
        planted.get(found[1]) or other(generator, found[1])), route.path)
    request.query = query
    generator.add_token(request)
    if route.body == "@data":
        request.headers.append(("Content-Type", "application/octet-stream"))
        request.body = b"changed"
    elif route.body:
        kind = "application/openstack-images-v2.1-json-patch" if route.body == "image_patch" else "application/json"
        request.headers.append(("Content-Type", kind))
        request.body = text.dumps(making.body(route, generator)).encode()
    return request


def other(generator, kind):
    if kind in ("own_project", "any_project"):
        return generator.own_project()
    return generator.fixed(kind) or generator.key()


def problems(request, answer, generator):
    """Beyond what is wrong with any answer."""
    kinds = {kind for kind in request.route.parameters if kind in generator.stage.planted} - VISIBLE
    if kinds and answer.status < 400:
        return [f"what is the victim's was open to the {request.caller}"]
    return []
