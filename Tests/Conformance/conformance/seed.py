"""What tests expect to find in a cloud. Each maker gives facts for tempest.conf by name."""
from . import formats


def images(client, stand):
    """Two active public images with different ids, and the formats that the service takes."""
    ids = []
    for name in ("conformance", "conformance-alt"):
        image = client.call("POST", "/image/v2/images", {
            "name": name, "disk_format": "raw", "container_format": "bare", "visibility": "public"})
        client.call("PUT", f"/image/v2/images/{image['id']}/file", bytes(1 << 20))
        ids.append(image["id"])
    properties = client.call("GET", "/image/v2/schemas/image")["properties"]
    known = lambda name: [value for value in properties[name]["enum"] if value]
    # The first of each is what most tests take.
    first = lambda values, value: sorted(values, key=lambda each: each != value)
    return {"image": ids[0], "image_alt": ids[1], "container_formats": first(known("container_format"), "bare"),
            "disk_formats": first(known("disk_format"), "raw")}


def flavors(client, stand):
    """Two flavors, the second one larger."""
    ids = [client.call("POST", "/compute/v2.1/flavors", {"flavor": {
        "name": f"conformance-{size}", "ram": 64 * size, "vcpus": size, "disk": size}})["flavor"]["id"]
        for size in (1, 2)]
    return {"flavor": ids[0], "flavor_alt": ids[1]}


def external(client, stand):
    """A network to which routers may be connected."""
    network = client.call("POST", "/network/v2.0/networks", {"network": {
        "name": "conformance-external", "router:external": True}})["network"]["id"]
    client.call("POST", "/network/v2.0/subnets", {"subnet": {
        "network_id": network, "ip_version": 4, "cidr": "172.24.4.0/24", "enable_dhcp": False}})
    return {"external": network}


def web(client, stand):
    """Files on a web server, for imports from one."""
    folder = stand.web.folder
    formats.write_raw(folder / "image.raw")
    formats.convert(folder / "image.raw", folder / "image.qcow2", "qcow2")
    return {"web_raw": f"{stand.web.url}/image.raw", "web_qcow2": f"{stand.web.url}/image.qcow2"}


def objects(client, stand):
    """The roles that Swift's tests are for, beside those of every cloud; an agent that serves objects is there."""
    for name in ("ResellerAdmin",):
        client.call("POST", "/identity/v3/roles", {"role": {"name": name}})
    return {"object_info": stand.cloud.object_url + "/info"}


def manifest(client, stand):
    """Images of every format, sound and hostile ones."""
    folder = stand.folder / "formats"
    folder.mkdir()
    return {"manifest": str(formats.write_all(folder))}


MAKERS = {"images": images, "flavors": flavors, "external": external, "web": web, "formats": manifest,
          "objects": objects}
