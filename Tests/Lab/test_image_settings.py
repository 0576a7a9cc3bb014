"""What the configuration says about images reaches the image service, and mistakes in it refuse the start. Needs no lab
host."""
import subprocess

import pytest

from skerrylab.alone import IMAGES, Coordinator
from skerrylab.programs import command

PROTECTIONS = """\
[^x_secret_]
create = admin
read = admin
update = admin
delete = !
"""
PROTECTED = {"property_protections": {"file": "protections.conf"}}
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


def images(cloud, count):
    """Makes so many; the last one has data, and is the one given."""
    for _ in range(count):
        image = cloud.call(
            "POST", IMAGES, {"disk_format": "raw", "container_format": "bare", "visibility": "shared"}).json["id"]
    assert cloud.call("PUT", f"{IMAGES}/{image}/file", b"data").status == 204
    return image


def add_member(cloud, image):
    return cloud.call("POST", f"{IMAGES}/{image}/members", {"member": "b" * 32})


def patch(cloud, image, path, operation="add", **more):
    return cloud.call("PATCH", f"{IMAGES}/{image}", [{"op": operation, "path": path, **more}], PATCH)


def test_the_settings_reach_the_service():
    cloud = Coordinator({
        "show_direct_url": True, "show_locations": True, "property_limit": 2, "tag_limit": 1, "member_limit": 0,
        "list_limit_default": 1, "list_limit_max": 2, **PROTECTED})
    (cloud.folder / "protections.conf").write_text(PROTECTIONS)
    with cloud:
        image = images(cloud, 3)
        shown = cloud.call("GET", f"{IMAGES}/{image}").json
        assert shown["direct_url"] and len(shown["locations"]) == 1

        assert len(cloud.call("GET", IMAGES).json["images"]) == 1
        assert len(cloud.call("GET", f"{IMAGES}?limit=50").json["images"]) == 2

        assert patch(cloud, image, "/x_secret_code", value="1").status == 200
        assert patch(cloud, image, "/x_secret_code", "remove").status == 403
        assert patch(cloud, image, "/colour", value="red").status == 403, "no section speaks of it"
        assert patch(cloud, image, "/x_secret_2", value="1").status == 200
        assert patch(cloud, image, "/x_secret_3", value="1").status == 413
        assert cloud.call("PUT", f"{IMAGES}/{image}/tags/one").status == 204
        assert cloud.call("PUT", f"{IMAGES}/{image}/tags/two").status == 413
        assert add_member(cloud, image).status == 413


def test_without_settings_none_of_them_holds():
    with Coordinator() as cloud:
        image = images(cloud, 3)
        shown = cloud.call("GET", f"{IMAGES}/{image}").json
        assert "direct_url" not in shown and "locations" not in shown
        assert len(cloud.call("GET", IMAGES).json["images"]) == 3
        for name in ("x_secret_code", "colour", "x_secret_3"):
            assert patch(cloud, image, f"/{name}", value="1").status == 200
        assert patch(cloud, image, "/x_secret_code", "remove").status == 200
        for tag in ("one", "two"):
            assert cloud.call("PUT", f"{IMAGES}/{image}/tags/{tag}").status == 204
        assert add_member(cloud, image).status == 200


def test_limits_of_the_identity_service_hold_for_images():
    with Coordinator() as cloud:
        services = cloud.call("GET", "/identity/v3/services?type=image").json["services"]
        limit = {"service_id": services[0]["id"], "resource_name": "image_count_total", "default_limit": 1}
        made = cloud.call("POST", "/identity/v3/registered_limits", {"registered_limits": [limit]})
        assert made.status == 201, made.body
        assert [cloud.call("POST", IMAGES, {"name": "image"}).status for _ in range(2)] == [201, 413]
        usage = cloud.call("GET", "/image/v2/info/usage").json["usage"]["image_count_total"]
        assert usage == {"usage": 1, "limit": 1}
        registered = made.json["registered_limits"][0]["id"]
        assert cloud.call("DELETE", f"/identity/v3/registered_limits/{registered}").status == 204


@pytest.fixture(scope="module")
def stopped():
    """A coordinator that could be started, and is not."""
    with Coordinator() as cloud:
        cloud.stop_coordinator()
        yield cloud
        # Nothing of what it was refused for is left in it.
        cloud.configure()
        (cloud.folder / "protections.conf").unlink(missing_ok=True)
        cloud.start()


@pytest.mark.parametrize("images, protections, reasons", [
    (PROTECTED, "[x_(]\ncreate = @\nupdate = @, !\nspeak = @\n",
     ["protections.conf' cannot be used", "line 1: 'x_(' is not a regular expression",
      "line 3: '@' and '!' are mutually exclusive", "line 4: 'speak' is not create, read, update or delete",
      "says nothing of 'delete'"]),
    (PROTECTED, None, ["protections.conf' cannot be read: No such file"]),
    ({"property_protections": {"file": "protections.conf", "rule_format": "policies"}},
     "[.*]\ncreate = get_image\nread = get_imag\nupdate = admin_required\ndelete = !\n",
     ["protections.conf' cannot be used", "There is no rule 'get_imag'"]),
    ({"property_protections": {"rule_format": "policies"}}, None,
     ["images.property_protections must be", "'file'"]),
    ({"property_protections": {"file": "x", "rule_format": "other"}}, None,
     ["rule_format must be roles or policies"]),
    ({"property_protections": "x"}, None, ["'images.property_protections' must be a mapping"]),
    ({"show_locations": 3, "tag_limit": -1, "list_limit_max": 0}, None,
     ["images.show_locations must be true or false", "images.tag_limit must be a number of tags, 0 to 10000",
      "images.list_limit_max must be a number of images, 1 to 10000"]),
    ({"list_limit_default": 30, "list_limit_max": 20}, None,
     ["images.list_limit_default must be images.list_limit_max at most"]),
    ({"show_location": True}, None, ["'show_location' is not known here"]),
    ({"web_download": {"ca_file": "none.pem"}}, None,
     ["images.web_download.ca_file: '", "/none.pem' holds no certificates in PEM, or cannot be read"]),
], ids=["rules", "no file", "policies", "no file named", "rule format", "no mapping", "numbers", "order", "unknown",
        "authorities"])
def test_a_mistake_refuses_the_start(stopped, images, protections, reasons):
    stopped.configure(stopped.settings(images))
    path = stopped.folder / "protections.conf"
    path.unlink(missing_ok=True)
    if protections is not None:
        path.write_text(protections)
    ended = subprocess.run(
        command("skerry-coordinator", "run", "--config", stopped.configuration), capture_output=True, text=True,
        timeout=60)
    assert ended.returncode > 0, "it did not refuse, or it crashed"
    for reason in reasons:
        assert reason in ended.stderr, ended.stderr
