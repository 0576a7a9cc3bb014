"""What the configuration says about images reaches the image service, and mistakes in it refuse the start. Needs no lab
host."""
import subprocess

import pytest

from skerrylab.alone import Coordinator
from skerrylab.private import binaries

PROTECTIONS = """\
[^x_secret_]
create = admin
read = admin
update = admin
delete = !
"""
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


def coordinator(settings, protections=None):
    cloud = Coordinator(settings)
    if protections is not None:
        (cloud.folder / "protections.conf").write_text(protections)
    return cloud


def patch(cloud, image, path, operation="add", **more):
    return cloud.call("PATCH", f"/image/v2/images/{image}", [{"op": operation, "path": path, **more}], PATCH)


def test_the_settings_reach_the_service():
    settings = ("  show_direct_url: true\n  show_locations: true\n  property_limit: 2\n  tag_limit: 1\n"
                "  member_limit: 0\n  list_limit_default: 1\n  list_limit_max: 2\n"
                "  property_protections: {file: protections.conf}\n")
    with coordinator(settings, PROTECTIONS) as cloud:
        images = [
            cloud.call("POST", "/image/v2/images",
                       {"disk_format": "raw", "container_format": "bare", "visibility": "shared"}).json["id"]
            for _ in range(3)]
        image = images[0]
        data = cloud.call("PUT", f"/image/v2/images/{image}/file", b"data",
                          {"Content-Type": "application/octet-stream"})
        assert data.status == 204, data.body
        shown = cloud.call("GET", f"/image/v2/images/{image}").json
        assert shown["direct_url"] and len(shown["locations"]) == 1

        assert len(cloud.call("GET", "/image/v2/images").json["images"]) == 1
        assert len(cloud.call("GET", "/image/v2/images?limit=50").json["images"]) == 2

        assert patch(cloud, image, "/x_secret_code", value="1").status == 200
        assert patch(cloud, image, "/x_secret_code", "remove").status == 403
        assert patch(cloud, image, "/colour", value="red").status == 403, "no section speaks of it"
        assert patch(cloud, image, "/x_secret_2", value="1").status == 200
        assert patch(cloud, image, "/x_secret_3", value="1").status == 413
        assert cloud.call("PUT", f"/image/v2/images/{image}/tags/one").status == 204
        assert cloud.call("PUT", f"/image/v2/images/{image}/tags/two").status == 413
        members = cloud.call("POST", f"/image/v2/images/{image}/members", {"member": "b" * 32})
        assert members.status == 413, members.body


def test_limits_of_the_identity_service_hold_for_images():
    with coordinator("") as cloud:
        services = cloud.call("GET", "/identity/v3/services?type=image").json["services"]
        limit = {"service_id": services[0]["id"], "resource_name": "image_count_total", "default_limit": 1}
        made = cloud.call("POST", "/identity/v3/registered_limits", {"registered_limits": [limit]})
        assert made.status == 201, made.body
        assert [cloud.call("POST", "/image/v2/images", {"name": "image"}).status for _ in range(2)] == [201, 413]
        usage = cloud.call("GET", "/image/v2/info/usage").json["usage"]["image_count_total"]
        assert usage == {"usage": 1, "limit": 1}


@pytest.mark.parametrize("settings, protections, reasons", [
    ("  property_protections: {file: protections.conf}\n", "[x_(]\ncreate = @\nupdate = @, !\nspeak = @\n",
     ["protections.conf' cannot be used", "line 1: 'x_(' is not a regular expression",
      "line 3: '@' and '!' are mutually exclusive", "line 4: 'speak' is not create, read, update or delete",
      "says nothing of 'delete'"]),
    ("  property_protections: {file: protections.conf}\n", None, ["protections.conf' cannot be read: No such file"]),
    ("  property_protections: {file: protections.conf, rule_format: policies}\n",
     "[.*]\ncreate = get_image\nread = get_imag\nupdate = admin_required\ndelete = !\n",
     ["protections.conf' cannot be used", "There is no rule 'get_imag'"]),
    ("  property_protections: {rule_format: policies}\n", None, ["images.property_protections must be", "'file'"]),
    ("  property_protections: {file: x, rule_format: other}\n", None, ["rule_format must be roles or policies"]),
    ("  property_protections: x\n", None, ["'images.property_protections' must be a mapping"]),
    ("  show_locations: 3\n  tag_limit: -1\n  list_limit_max: 0\n", None,
     ["images.show_locations must be true or false", "images.tag_limit must be a number of tags, 0 to 10000",
      "images.list_limit_max must be a number of images, 1 to 10000"]),
    ("  list_limit_default: 30\n  list_limit_max: 20\n", None,
     ["images.list_limit_default must be images.list_limit_max at most"]),
    ("  show_location: true\n", None, ["'show_location' is not known here"]),
])
def test_a_mistake_refuses_the_start(settings, protections, reasons):
    cloud = coordinator(settings, protections)
    try:
        ended = subprocess.run(
            [binaries() / "skerry-coordinator", "run", "--config", cloud.folder / "coordinator.yaml"],
            capture_output=True, text=True, timeout=60)
    finally:
        cloud.remove()
    assert ended.returncode != 0
    for reason in reasons:
        assert reason in ended.stderr, ended.stderr
