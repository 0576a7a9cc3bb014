"""openstacksdk: what the `openstack` command has no command for, and what programs use most."""
import io
import traceback
import warnings

import openstack
from keystoneauth1.exceptions import http as http_errors
from openstack import exceptions

from . import people

OPERATIONS = []
CONTENT = bytes(range(256)) * 1024


def operation(service, name, excuse=None):
    """Marks a function of (administrator's connection, member's connection, values, `Stand`) that asserts."""
    def add(function):
        OPERATIONS.append((service, name, excuse, function))
        return function
    return add


def operations(service, stand, values):
    """Runs them. Yields name, what was wrong if anything, and the excuse for that."""
    warnings.simplefilter("ignore")
    admin, member = connect(stand, "admin"), connect(stand, "member")
    for owner, name, excuse, function in OPERATIONS:
        if owner != service:
            continue
        wrong = None
        try:
            function(admin, member, values, stand)
        except Exception as error:  # noqa: BLE001: whatever it is, it is the answer
            wrong = describe(error)
        yield name, wrong, excuse


def describe(error):
    """In one line, with the line of this file that it came from."""
    source = next(frame.line for frame in reversed(traceback.extract_tb(error.__traceback__))
                  if frame.filename == __file__)
    said = str(error).splitlines()
    return f"{type(error).__name__}: {said[0] + ', at ' if said else ''}{source}"[:400]


def connect(stand, name=None, **auth):
    """As a person by password, or with `auth` in the place of that."""
    variables = people.environment(stand.cloud, name) if name else {}
    own = {key[3:].lower(): value for key, value in variables.items() if key.startswith("OS_")}
    return openstack.connect(
        load_yaml_config=False, load_envvars=False, region_name="RegionOne", cacert=str(stand.cloud.certificate),
        auth_type=auth.pop("auth_type", "password"), app_name="conformance",
        auth={"auth_url": stand.cloud.identity_url, **{key: own[key] for key in own if key in (
            "username", "password", "project_name", "user_domain_name", "project_domain_name")}, **auth})


# Identity

@operation("identity", "connect by token")
def by_token(admin, member, values, stand):
    other = connect(stand, auth_type="token", token=member.auth_token, project_id=values["workshop"])
    assert other.current_project_id == values["workshop"]


@operation("identity", "connect by application credential; it ends with its deletion")
def by_application_credential(admin, member, values, stand):
    made = member.identity.create_application_credential(values["member"], "sdk", roles=[{"name": "member"}])
    other = connect(stand, auth_type="v3applicationcredential", application_credential_id=made.id,
                    application_credential_secret=made.secret)
    assert other.current_project_id == values["workshop"]
    list(other.image.images())
    member.identity.delete_application_credential(values["member"], made.id)
    # Neither does the token that came from it work any more, nor can there be another.
    refused(http_errors.HttpError, lambda: list(other.image.images()))


@operation("identity", "an application credential's access rules are enforced")
def access_rules(admin, member, values, stand):
    made = member.identity.create_application_credential(values["member"], "narrow", access_rules=[
        {"service": "image", "method": "GET", "path": "/v2/images"}])
    other = connect(stand, auth_type="v3applicationcredential", application_credential_id=made.id,
                    application_credential_secret=made.secret)
    list(other.image.images())
    refused(exceptions.HttpException, lambda: list(other.image.metadef_namespaces()))
    member.identity.delete_application_credential(values["member"], made.id)


@operation("identity", "connect by a trust")
def by_trust(admin, member, values, stand):
    trust = member.identity.create_trust(
        trustor_user_id=values["member"], trustee_user_id=values["neighbour"], project_id=values["workshop"],
        impersonation=True, roles=[{"id": values["member_role"]}])
    password, _ = people.MEMBERS["neighbour"]
    other = connect(stand, username="neighbour", password=password, user_domain_name="Default", trust_id=trust.id)
    assert other.current_user_id == values["member"] and other.current_project_id == values["workshop"]
    member.identity.delete_trust(trust.id)


@operation("identity", "validate, check and revoke a token")
def tokens(admin, member, values, stand):
    token = connect(stand, "member").auth_token
    assert admin.identity.validate_token(token).user["id"] == values["member"]
    assert admin.identity.check_token(token)
    admin.identity.revoke_token(token)
    refused(exceptions.NotFoundException, lambda: admin.identity.validate_token(token))


@operation("identity", "system scope")
def system(admin, member, values, stand):
    other = connect(stand, username="admin", password=stand.cloud.password, user_domain_name="Default",
                    system_scope="all")
    assert values["member"] in {user.id for user in other.identity.users()}


@operation("identity", "roles: is one assigned, on project, domain and system")
def assigned(admin, member, values, stand):
    reader, user = values["reader_role"], values["member"]
    api = admin.identity
    for place, assign, validate, unassign in (
            ("workshop", api.assign_project_role_to_user, api.validate_user_has_project_role,
             api.unassign_project_role_from_user),
            ("default", api.assign_domain_role_to_user, api.validate_user_has_domain_role,
             api.unassign_domain_role_from_user)):
        place = values.get(place, place)
        assert not validate(place, user, reader)
        assign(place, user, reader)
        assert validate(place, user, reader)
        unassign(place, user, reader)
    api.assign_system_role_to_user(user, reader, "all")
    assert api.validate_user_has_system_role(user, reader, "all")
    api.unassign_system_role_from_user(user, reader, "all")


@operation("identity", "the same for a group")
def assigned_to_group(admin, member, values, stand):
    api, reader = admin.identity, values["reader_role"]
    group = api.create_group(name="sdk", domain_id="default").id
    api.assign_project_role_to_group(values["workshop"], group, reader)
    assert api.validate_group_has_project_role(values["workshop"], group, reader)
    api.unassign_project_role_from_group(values["workshop"], group, reader)
    api.assign_domain_role_to_group("default", group, reader)
    assert api.validate_group_has_domain_role("default", group, reader)
    api.unassign_domain_role_from_group("default", group, reader)
    api.assign_system_role_to_group(group, reader, "all")
    assert api.validate_group_has_system_role(group, reader, "all")
    api.unassign_system_role_from_group(group, reader, "all")
    api.add_user_to_group(values["member"], group)
    assert [each.id for each in api.user_groups(values["member"])] == [group]
    assert [each.id for each in api.group_users(group)] == [values["member"]]
    api.delete_group(group)


@operation("identity", "a user's projects and role assignments")
def own_projects(admin, member, values, stand):
    assert [each.id for each in member.identity.user_projects(values["member"])] == [values["workshop"]]
    assert list(admin.identity.role_assignments(user_id=values["member"], include_names=True))


@operation("identity", "project tags")
def project_tags(admin, member, values, stand):
    project = admin.identity.get_project(values["workshop"])
    project.add_tag(admin.identity, "blue")
    assert project.check_tag(admin.identity, "blue")
    assert [each.id for each in admin.identity.projects(tags="blue")] == [project.id]
    project.set_tags(admin.identity, ["red", "green"])
    project.remove_tag(admin.identity, "red")
    assert project.fetch_tags(admin.identity).tags == ["green"]
    project.remove_all_tags(admin.identity)


@operation("identity", "a user's options and own password")
def user_options(admin, member, values, stand):
    user = admin.identity.create_user(name="sdk", password="First-1", domain_id="default",
                                      options={"ignore_lockout_failure_attempts": True})
    assert admin.identity.get_user(user.id).options == {"ignore_lockout_failure_attempts": True}
    other = connect(stand, username="sdk", password="First-1", user_domain_name="Default")
    other.identity.update_password(user.id, "First-1", "Second-2")
    connect(stand, username="sdk", password="Second-2", user_domain_name="Default").authorize()
    admin.identity.delete_user(user.id)


@operation("identity", "endpoint groups and endpoints of a project")
def endpoint_filters(admin, member, values, stand):
    api = admin.identity
    group = api.create_endpoint_group(name="sdk", filters={"interface": "public"})
    api.associate_project_with_endpoint_group(group.id, values["workshop"])
    assert [each.id for each in api.project_endpoint_groups(values["workshop"])] == [group.id]
    assert [each.id for each in api.endpoint_group_projects(group.id)] == [values["workshop"]]
    assert all(each.interface == "public" for each in api.endpoint_group_endpoints(group.id))
    assert list(api.project_endpoints(values["workshop"]))
    api.disassociate_project_from_endpoint_group(group.id, values["workshop"])
    api.delete_endpoint_group(group.id)


@operation("identity", "limits: which model is in force")
def limit_model(admin, member, values, stand):
    assert member.identity.get("/limits/model").json()["model"]["name"]


@operation("identity", "EC2 credentials exchanged for a token")
def ec2_exchange(admin, member, values, stand):
    from keystoneclient.contrib.ec2 import utils
    made = member.identity.post(f"/users/{values['member']}/credentials/OS-EC2", json={
        "tenant_id": values["workshop"]}).json()["credential"]
    request = {"access": made["access"], "host": "127.0.0.1", "verb": "GET", "path": "/", "params": {
        "SignatureVersion": "2", "SignatureMethod": "HmacSHA256", "Timestamp": now(), "AWSAccessKeyId": made["access"]}}
    request["signature"] = utils.Ec2Signer(made["secret"]).generate(request)
    answer = admin.session.post(f"{stand.cloud.identity_url}/ec2tokens", json={"credentials": request})
    assert answer.json()["token"]["user"]["id"] == values["member"], answer.text


def now():
    import datetime
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@operation("identity", "filters, sorting and pages of lists")
def lists(admin, member, values, stand):
    assert [each.name for each in admin.identity.users(name="member")] == ["member"]
    # The client would look itself.
    found = admin.identity.get("/users?name__contains=neigh").json()["users"]
    assert [each["name"] for each in found] == ["neighbour"]
    assert {each.name for each in admin.identity.projects(limit=1)} >= {"admin", "workshop", "next-door"}


@operation("identity", "domain configuration")
def domain_configuration(admin, member, values, stand):
    admin.identity.create_domain_config("default", identity={"driver": "ldap"})


# Image

@operation("image", "upload and download as streams, with checksums")
def transfer(admin, member, values, stand):
    image = member.create_image("sdk", data=CONTENT, disk_format="raw", container_format="bare", wait=True,
                                validate_checksum=True)
    out = io.BytesIO()
    member.image.download_image(image.id, output=out)
    assert out.getvalue() == CONTENT
    part = member.image.get(f"/images/{image.id}/file", headers={"Range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == CONTENT[10:20], part.status_code
    member.image.delete_image(image.id)
    member.image.wait_for_delete(image)


@operation("image", "stage and import (glance-direct), tasks of the image")
def staged(admin, member, values, stand):
    image = member.image.create_image("sdk", disk_format="raw", container_format="bare", allow_duplicates=True)
    member.image.stage_image(image, data=io.BytesIO(CONTENT))
    member.image.import_image(image, method="glance-direct")
    member.image.wait_for_status(image, "active", failures=["killed"], interval=1, wait=30)
    assert [task.status for task in member.image.image_tasks(image)] == ["success"]
    member.image.delete_image(image.id)


@operation("image", "tags, properties and visibility")
def properties(admin, member, values, stand):
    image = member.image.create_image("sdk", disk_format="raw", container_format="bare", allow_duplicates=True)
    member.image.add_tag(image, "blue")
    member.image.update_image(image.id, color="red", visibility="community")
    seen = member.image.get_image(image.id)
    assert seen.tags == ["blue"] and seen.properties["color"] == "red" and seen.visibility == "community"
    member.image.remove_tag(image.id, "blue")
    member.image.delete_image(image.id)


@operation("image", "members")
def members(admin, member, values, stand):
    image = member.image.create_image("sdk", disk_format="raw", container_format="bare", allow_duplicates=True)
    member.image.add_member(image, member_id=values["next_door"])
    neighbour = connect(stand, "neighbour")
    neighbour.image.update_member(values["next_door"], image.id, status="accepted")
    assert [each.status for each in member.image.members(image)] == ["accepted"]
    assert image.id in {each.id for each in neighbour.image.images()}
    member.image.remove_member(values["next_door"], image=image)
    member.image.delete_image(image.id)


@operation("image", "deactivate and reactivate")
def deactivation(admin, member, values, stand):
    admin.image.deactivate_image(values["image"])
    assert admin.image.get_image(values["image"]).status == "deactivated"
    admin.image.reactivate_image(values["image"])
    assert admin.image.get_image(values["image"]).status == "active"


@operation("image", "schema documents")
def schemas(admin, member, values, stand):
    api = member.image
    for name in ("image", "images", "member", "members", "task", "tasks", "metadef_namespace", "metadef_namespaces",
                 "metadef_object", "metadef_objects", "metadef_property", "metadef_properties", "metadef_tag",
                 "metadef_tags", "metadef_resource_type", "metadef_resource_types"):
        assert getattr(api, f"get_{name}_schema")().properties, name


@operation("image", "lists: filters, several sort keys, pages")
def image_lists(admin, member, values, stand):
    made = [member.image.create_image(f"page-{number}", disk_format=("raw", "qcow2")[number % 2],
                                      container_format="bare") for number in range(5)]
    names = [each.name for each in member.image.images(
        name="in:page-0,page-1,page-2,page-3,page-4", sort="disk_format:asc,name:desc", limit=2)]
    assert names == ["page-3", "page-1", "page-4", "page-2", "page-0"], names
    assert not list(member.image.images(created_at="lt:2020-01-01T00:00:00Z"))
    for image in made:
        member.image.delete_image(image.id)


@operation("image", "tags of metadata definitions")
def metadef_tags(admin, member, values, stand):
    api = admin.image
    api.create_metadef_namespace(namespace="SDK::One")
    api.add_tag_to_metadef_namespace("SDK::One", "alpha")
    assert [tag["name"] for tag in api.get("/metadefs/namespaces/SDK::One/tags").json()["tags"]] == ["alpha"]
    api.remove_tag_from_metadef_namespace("SDK::One", "alpha")
    api.delete_metadef_namespace("SDK::One")


@operation("image", "all objects and properties of a namespace deleted at once")
def metadef_delete_all(admin, member, values, stand):
    api = admin.image
    api.create_metadef_namespace(namespace="SDK::Two")
    api.create_metadef_object("SDK::Two", name="thing")
    api.create_metadef_property("SDK::Two", name="width", type="integer", title="Width")
    api.delete_all_metadef_objects("SDK::Two")
    api.delete_all_metadef_properties("SDK::Two")
    assert not list(api.metadef_objects("SDK::Two")) and not list(api.metadef_properties("SDK::Two"))
    api.delete_metadef_namespace("SDK::Two")


@operation("image", "stores, import methods, usage")
def information(admin, member, values, stand):
    assert list(member.image.stores())
    assert list(admin.image.stores(details=True))
    assert "glance-direct" in member.image.get_import_info().import_methods["value"]
    assert "image_size_total" in member.image.get("/info/usage").json()["usage"]


@operation("image", "locations, which are read-only")
def locations(admin, member, values, stand):
    assert isinstance(admin.image.get_image(values["image"]).locations, (list, type(None)))


@operation("image", "cache: queue, list, clean", excuse="the image service keeps no cache")
def cache(admin, member, values, stand):
    admin.image.queue_image(values["image"])
    admin.image.get_image_cache()
    admin.image.cache_delete_image(values["image"])
    admin.image.clear_cache("both")


def refused(kind, call):
    try:
        call()
    except kind:
        return
    raise AssertionError(f"it should have been refused with {kind.__name__}")
