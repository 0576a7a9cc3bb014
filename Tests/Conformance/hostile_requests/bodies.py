"""Sound bodies of the services, by their names in the route tables. `g` is a Generator: chance and known ids."""
import base64
import json

TIMES = ("2999-01-01T00:00:00Z", "2999-01-01T00:00:00.000000Z", "2999-12-31T23:59:59")


def wrapped(name):
    """The body of a function that gives its members, in an object called `name`."""
    def around(members):
        return lambda g: {name: members(g)}
    return around


def maybe(g, members, **optional):
    """`members` with some of the optional ones; those are functions without arguments."""
    for name, make in optional.items():
        if g.chance(0.4):
            members[name] = make()
    return members


def named(g, **members):
    return {"name": g.word(), **members}


# Identity

@wrapped("project")
def project(g):
    return maybe(g, named(g, domain_id=g.id("domain")), description=g.word, enabled=lambda: g.chance(0.8),
                 parent_id=lambda: g.id("project"), is_domain=lambda: False, tags=lambda: [g.word(), g.word()],
                 options=lambda: {"immutable": False}, extra=g.word)


@wrapped("project")
def project_change(g):
    return maybe(g, {}, name=g.word, description=g.word, enabled=lambda: g.chance(0.8), tags=lambda: [g.word()],
                 options=lambda: {"immutable": g.chance(0.2)}, colour=g.word)


@wrapped("domain")
def domain(g):
    return maybe(g, named(g), description=g.word, enabled=lambda: g.chance(0.7), tags=lambda: [g.word()],
                 explicit_domain_id=g.key)


@wrapped("domain")
def domain_change(g):
    return maybe(g, {}, name=g.word, description=g.word, enabled=lambda: g.chance(0.5), tags=lambda: [g.word()])


@wrapped("user")
def user(g):
    members = maybe(g, named(g, domain_id=g.id("domain")), description=g.word, enabled=lambda: g.chance(0.9),
                    default_project_id=lambda: g.id("project"), email=lambda: g.word() + "@example.org",
                    options=lambda: {"ignore_password_expiry": True, "multi_factor_auth_rules": [["password"]]})
    # Each costs a slow hash.
    if g.chance(0.02):
        members["password"] = g.word()
    return members


@wrapped("user")
def user_change(g):
    return maybe(g, {}, name=g.word, description=g.word, enabled=lambda: g.chance(0.8), email=g.word,
                 default_project_id=lambda: g.id("project"), options=lambda: {"lock_password": None})


@wrapped("user")
def password(g):
    return {"password": g.word(), "original_password": g.word()}


@wrapped("group")
def group(g):
    return maybe(g, named(g, domain_id=g.id("domain")), description=g.word)


@wrapped("group")
def group_change(g):
    return maybe(g, {}, name=g.word, description=g.word)


@wrapped("role")
def role(g):
    return maybe(g, named(g), description=g.word, domain_id=lambda: g.id("domain"),
                 options=lambda: {"immutable": g.chance(0.3)})


@wrapped("role")
def role_change(g):
    return maybe(g, {}, name=g.word, description=g.word, options=lambda: {"immutable": g.chance(0.3)})


@wrapped("region")
def region(g):
    return maybe(g, {"id": g.word()}, description=g.word, parent_region_id=lambda: g.id("region"))


@wrapped("region")
def region_change(g):
    return maybe(g, {}, description=g.word, parent_region_id=lambda: g.id("region"))


@wrapped("service")
def service(g):
    return maybe(g, named(g, type=g.word()), description=g.word, enabled=lambda: g.chance(0.8))


@wrapped("endpoint")
def endpoint(g):
    return maybe(g, {"service_id": g.id("service"), "interface": g.choice(("public", "admin", "internal")),
                     "url": g.choice(("http://example.org/v1/$(project_id)s", "https://[::1]:80/%(tenant_id)s"))},
                 region_id=lambda: g.id("region"), enabled=lambda: g.chance(0.8), name=g.word)


@wrapped("endpoint_group")
def endpoint_group(g):
    return maybe(g, named(g, filters={"interface": "admin"}), description=g.word)


@wrapped("policy")
def policy(g):
    return {"blob": json.dumps({"a": "role:" + g.word()}), "type": "application/json"}


@wrapped("credential")
def credential(g):
    kind = g.choice(("cert", "totp", "ec2"))
    blob = json.dumps({"access": g.key(), "secret": g.key()}) if kind == "ec2" else g.word()
    return {"type": kind, "blob": blob, "user_id": g.id("user"), "project_id": g.id("project")}


@wrapped("credential")
def credential_change(g):
    return {"blob": g.word()}


@wrapped("application_credential")
def application_credential(g):
    return maybe(g, named(g), description=g.word, expires_at=lambda: g.choice(TIMES), secret=g.word,
                 roles=lambda: [{"name": "reader"}], unrestricted=lambda: g.chance(0.3),
                 access_rules=lambda: [{"path": "/v2.1/servers", "method": "GET", "service": g.word()}])


def ec2(g):
    return {"tenant_id": g.id("project")}


@wrapped("trust")
def trust(g):
    return maybe(g, {"trustor_user_id": g.id("user"), "trustee_user_id": g.id("user"), "impersonation": g.chance(0.5),
                     "project_id": g.id("project"), "roles": [{"name": "reader"}]},
                 expires_at=lambda: g.choice(TIMES), remaining_uses=lambda: g.randint(1, 9),
                 allow_redelegation=lambda: g.chance(0.5), redelegation_count=lambda: g.randint(0, 3))


@wrapped("registered_limits")
def registered_limits(g):
    return [maybe(g, {"service_id": g.id("service"), "resource_name": g.word(), "default_limit": g.randint(-1, 99)},
                  region_id=lambda: g.id("region"), description=g.word) for _ in range(g.randint(1, 3))]


@wrapped("registered_limit")
def registered_limit_change(g):
    return maybe(g, {}, resource_name=g.word, default_limit=lambda: g.randint(-1, 99), description=g.word)


@wrapped("limits")
def limits(g):
    owner = "project" if g.chance(0.7) else "domain"
    return [{"service_id": g.id("service"), "resource_name": g.limit_name(), "resource_limit": g.randint(-1, 99),
             owner + "_id": g.id(owner)}]


@wrapped("limit")
def limit_change(g):
    return maybe(g, {}, resource_limit=lambda: g.randint(-1, 99), description=g.word)


@wrapped("config")
def config(g):
    return {"ldap": maybe(g, {"url": "ldap://" + g.word()}, user_tree_dn=g.word, password=g.word),
            **({"identity": {"driver": "sql"}} if g.chance(0.5) else {})}


@wrapped("config")
def config_option(g):
    return {"url": "ldap://" + g.word()}


@wrapped("tags")
def tags(g):
    return [g.word() for _ in range(g.randint(0, 5))]


def login(g):
    """Mostly by a token: passwords cost a slow hash each."""
    identity = {"methods": ["token"], "token": {"id": g.token()}}
    if g.chance(0.02):
        user = {"id": g.id("user")} if g.chance(0.5) else {"name": g.word(), "domain": {"id": g.id("domain")}}
        identity = {"methods": ["password"], "password": {"user": {**user, "password": g.word()}}}
    elif g.chance(0.1):
        identity = {"methods": ["application_credential"],
                    "application_credential": {"id": g.key(), "secret": g.word()}}
    scope = g.choice((
        None, "unscoped", {"project": {"id": g.id("project")}}, {"domain": {"id": g.id("domain")}},
        {"system": {"all": True}}, {"OS-TRUST:trust": {"id": g.id("trust")}},
        {"project": {"name": "admin", "domain": {"id": "default"}}}))
    return {"auth": {"identity": identity, **({"scope": scope} if scope else {})}}


@wrapped("credentials")
def ec2_login(g):
    return {"access": g.id("ec2"), "signature": base64.b64encode(g.randbytes(32)).decode(), "host": "localhost",
            "verb": "GET", "path": "/", "headers": {},
            "params": {"SignatureVersion": "2", "SignatureMethod": "HmacSHA256", "Timestamp": "2030-01-01T00:00:00Z"}}


@wrapped("credentials")
def s3_login(g):
    return {"access": g.id("ec2"), "signature": base64.b64encode(g.randbytes(20)).decode(),
            "token": base64.b64encode(g.word().encode()).decode()}


# Image

def image(g):
    members = maybe(g, named(g), disk_format=lambda: g.choice(("raw", "qcow2", "vmdk", "iso")),
                    container_format=lambda: g.choice(("bare", "ova")), min_disk=lambda: g.randint(0, 9),
                    min_ram=lambda: g.randint(0, 9), protected=lambda: g.chance(0.2), id=g.uuid,
                    os_hidden=lambda: g.chance(0.3), tags=lambda: [g.word(), g.word()],
                    owner=lambda: g.id("project"), hw_disk_bus=lambda: "virtio", colour=g.word)
    if g.chance(0.5):
        members["visibility"] = g.choice(("private", "shared", "community", "public"))
    return members


def pointer(g):
    return g.choice((
        "/name", "/visibility", "/protected", "/tags", "/colour", "/min_disk", "/min_ram", "/os_hidden",
        "/disk_format", "/container_format", "/owner", "/status", "/id", "/size", "/checksum", "/locations",
        "/locations/0", "/locations/-", "/" + g.word(), "/a~1b", "/a~0b", "/a~", "/a~2", "", "/", "//", "/name/",
        "/name/first", "name", "/deleted", "/os_glance_stage_host", "/" + "x" * 300, "/é\u0301", "/\x00"))


def patch_value(g):
    return g.choice((g.word(), True, 5, [g.word()], "public", "private", "shared", None, [], {}, g.id("project"),
                     [{"url": "file:///etc/passwd", "metadata": {}}]))


def image_patch(g):
    operations = [{"op": g.choice(("add", "replace", "remove")), "path": pointer(g), "value": patch_value(g)}
                  for _ in range(g.choice((1, 1, 1, 2, 5)))]
    if g.chance(0.03):
        operations = operations[:1] * g.choice((0, 1000, 1001, 5000))
    if g.chance(0.1):
        operations[-1:] = [g.choice((
            {"op": "test", "path": "/name", "value": "a"}, {"op": "move", "from": "/name", "path": "/owner"},
            {"op": "copy", "from": "/owner", "path": "/name"}, {"op": ["add"], "path": "/name", "value": 1},
            {"op": "add", "path": ["/name"], "value": 1}, {"op": "add", "path": "/name"}, {"path": "/name"}, [], None,
            {"add": "/" + g.word(), "value": g.word()}, {"replace": "/name", "remove": "/name", "value": 1}))]
    return operations


def member(g):
    return {"member": g.id("project")}


def member_status(g):
    return {"status": g.choice(("accepted", "rejected", "pending"))}


def image_import(g):
    method = g.choice((
        {"name": "glance-direct"}, {"name": "copy-image"}, {"name": "web-download", "uri": g.web_address()}))
    return maybe(g, {"method": method}, all_stores=lambda: g.chance(0.3), stores=lambda: ["default"],
                 all_stores_must_succeed=lambda: True)


def task(g):
    return {"type": "import", "input": {"import_from": g.web_address(), "import_from_format": "raw",
                                        "image_properties": {"disk_format": "raw", "container_format": "bare"}}}


def metadef_property(g):
    return {"title": g.word(), "type": g.choice(("string", "integer", "boolean", "array", "number")),
            **maybe(g, {}, description=g.word, minimum=lambda: 0, maximum=lambda: 9, enum=lambda: [g.word()],
                    default=lambda: 1, operators=lambda: ["<or>"], readonly=lambda: False, pattern=lambda: "(a+)+$")}


def namespace(g):
    return maybe(g, {"namespace": g.word()}, display_name=g.word, description=g.word,
                 visibility=lambda: g.choice(("public", "private")), protected=lambda: g.chance(0.2),
                 owner=lambda: g.id("project"),
                 resource_type_associations=lambda: [{"name": g.word(), "prefix": "hw_"}],
                 properties=lambda: {g.word(): metadef_property(g)},
                 objects=lambda: [{"name": g.word(), "properties": {g.word(): metadef_property(g)}}],
                 tags=lambda: [{"name": g.word()}])


def metadef_object(g):
    return maybe(g, named(g), description=g.word, required=lambda: [g.word()],
                 properties=lambda: {g.word(): metadef_property(g)})


def named_property(g):
    return named(g, **metadef_property(g))


def metadef_tag(g):
    return named(g)


def metadef_tags(g):
    return {"tags": [named(g) for _ in range(g.randint(0, 4))]}


def association(g):
    return maybe(g, named(g), prefix=lambda: "hw_", properties_target=lambda: "image")


# Placement

def amount(g):
    return g.choice((1, 1, 1, 2, 4, 2 ** 31 - 1))


def stock(g):
    return maybe(g, {"total": g.choice((1, 8, 64, 2 ** 31 - 1))}, reserved=lambda: g.choice((0, 1, 8)),
                 min_unit=lambda: 1, max_unit=lambda: 8, step_size=lambda: g.choice((1, 2)),
                 allocation_ratio=lambda: g.choice((1.0, 4.0, 0.1, 1e6)))


def generation(g):
    return g.choice((0, 1, 2, 3, 4, 5))


def provider(g):
    return maybe(g, named(g), uuid=g.uuid, parent_provider_uuid=lambda: g.choice((None, g.id("provider"))))


def provider_change(g):
    return maybe(g, named(g), parent_provider_uuid=lambda: g.choice((None, g.id("provider"))))


def inventory(g):
    return {"resource_class": g.id("class"), "resource_provider_generation": generation(g), **stock(g)}


def inventories(g):
    return {"resource_provider_generation": generation(g),
            "inventories": {g.id("class"): stock(g) for _ in range(g.choice((0, 1, 3)))}}


def provider_aggregates(g):
    return {"resource_provider_generation": generation(g), "aggregates": [g.uuid()]}


def provider_traits(g):
    return {"resource_provider_generation": generation(g), "traits": [g.id("trait")]}


def resource_class(g):
    return {"name": "CUSTOM_" + g.word().upper()}


def allocation(g):
    return {"allocations": {g.id("provider"): {"resources": {g.id("class"): amount(g)}}},
            "project_id": g.id("project"), "user_id": g.id("user"),
            "consumer_generation": g.choice((None, None, 1, 2)), "consumer_type": g.choice(("INSTANCE", "VOLUME"))}


def allocation_map(g):
    return {g.id("consumer"): allocation(g) for _ in range(g.choice((1, 2)))}


def reshaping(g):
    return {"inventories": {g.id("provider"): inventories(g)},
            "allocations": allocation_map(g) if g.chance(0.3) else {}}
