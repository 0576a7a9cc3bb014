"""Sound bodies of the compute service. `g` is a Generator: chance and known ids."""
import base64

from .bodies import maybe, named, wrapped
from .network_bodies import address, cidr

SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me"
STATES = ("active", "error", "deleted", "building", "")


def text64(g):
    return base64.b64encode(g.randbytes(g.choice((0, 10, 1000)))).decode()


def image_id(g):
    return g.stage.seed if g.chance(0.9) else g.id("image")


def disks(g):
    source = g.choice(("volume", "image", "snapshot", "blank"))
    kind = {"volume": "volume", "image": "image", "snapshot": "volume_snapshot", "blank": "volume"}[source]
    return maybe(g, {
        "source_type": source, "destination_type": g.choice(("volume", "volume", "local")),
        "boot_index": g.choice((0, 0, -1, 1)), **({"uuid": g.id(kind)} if source != "blank" else {})},
        volume_size=lambda: g.choice((1, 2)), delete_on_termination=lambda: g.chance(0.8), device_type=lambda: "disk",
        disk_bus=lambda: "virtio", tag=g.word, volume_type=lambda: g.id("volume_type"), guest_format=lambda: "swap")


def attached(g):
    return g.choice(("none", "none", "none", "auto", [{"uuid": g.id("network")}], [{"port": g.id("port")}],
                     [{"uuid": g.id("network"), "fixed_ip": address(g)}, {"uuid": g.id("network"), "tag": g.word()}]))


def server(g):
    members = maybe(
        g, named(g, flavorRef=g.stage.flavor if g.chance(0.8) else g.id("flavor"), networks=attached(g)),
        **{"imageRef": lambda: image_id(g), "OS-DCF:diskConfig": lambda: g.choice(("AUTO", "MANUAL"))})
    if g.chance(0.9):
        members.setdefault("imageRef", image_id(g))
    if g.chance(0.3):
        maybe(
            g, members, description=g.word, metadata=lambda: {g.word(): g.word()}, user_data=lambda: text64(g),
            config_drive=lambda: g.chance(0.5), tags=lambda: [g.word()], adminPass=g.word,
            accessIPv4=lambda: address(g),
            security_groups=lambda: [{"name": g.choice(("default", g.id("security_group")))}], hostname=g.word,
            availability_zone=lambda: g.choice(("nova", "nova::host", g.word())), key_name=lambda: g.id("keypair"))
    if g.chance(0.15):
        maybe(g, members, min_count=lambda: 1, max_count=lambda: g.choice((1, 2, 1000)),
              return_reservation_id=lambda: True, host=lambda: g.id("host"),
              trusted_image_certificates=lambda: [g.word()],
              block_device_mapping_v2=lambda: [disks(g) for _ in range(g.choice((1, 1, 3)))],
              personality=lambda: [{"path": "/etc/x", "contents": text64(g)}])
    whole = {"server": members}
    if g.chance(0.1):
        whole["os:scheduler_hints"] = maybe(
            g, {}, group=lambda: g.id("server_group"), same_host=lambda: [g.id("server")],
            query=lambda: '[">", "$a", 1]', different_host=lambda: g.id("server"),
            build_near_host_ip=lambda: "10.0.0.1", colour=g.word)
    return whole


@wrapped("server")
def server_change(g):
    return maybe(g, {}, name=g.word, description=g.word, accessIPv4=lambda: address(g), accessIPv6=lambda: "fd00::7",
                 hostname=g.word, **{"OS-DCF:diskConfig": lambda: "AUTO"})


def server_power(g):
    return g.choice(({"os-start": None}, {"os-stop": None}, {"reboot": {"type": g.choice(("HARD", "SOFT"))}},
                     {"pause": None}, {"unpause": None}, {"suspend": None}, {"resume": None}, {"lock": None},
                     {"unlock": None}))


def server_action(g):
    return g.choice((
        lambda: {"rebuild": maybe(
            g, {"imageRef": image_id(g)}, name=g.word, metadata=lambda: {g.word(): g.word()},
            preserve_ephemeral=lambda: True, adminPass=g.word, key_name=lambda: g.id("keypair"),
            user_data=lambda: text64(g),
            description=g.word,
            accessIPv4=lambda: address(g))},
        lambda: {"resize": maybe(g, {"flavorRef": g.id("flavor")}, **{"OS-DCF:diskConfig": lambda: "AUTO"})},
        lambda: {"confirmResize": None}, lambda: {"revertResize": None},
        lambda: {"rescue": maybe(g, {}, adminPass=g.word, rescue_image_ref=lambda: image_id(g))},
        lambda: {"unrescue": None}, lambda: {"shelve": None}, lambda: {"shelveOffload": None},
        lambda: {"unshelve": g.choice((None, {"availability_zone": g.choice(("nova", None, g.word()))},
                                       {"host": g.id("host")}))},
        lambda: {"migrate": g.choice((None, {"host": g.id("host")}))},
        lambda: {"os-migrateLive": {
            "host": g.choice((None, g.id("host"))), "block_migration": g.choice(("auto", True))}},
        lambda: {"evacuate": maybe(g, {}, host=lambda: g.id("host"), adminPass=g.word)},
        lambda: {"createImage": maybe(g, named(g), metadata=lambda: {g.word(): g.word()})},
        lambda: {"createBackup": named(g, backup_type=g.choice(("daily", g.word())), rotation=g.choice((0, 1, 3)))},
        lambda: {"os-resetState": {"state": g.choice(STATES)}}, lambda: {"os-getConsoleOutput": maybe(
            g, {}, length=lambda: g.choice((0, -1, 10, "10", 10 ** 9)))},
        lambda: {"os-getVNCConsole": {"type": "novnc"}}, lambda: {"changePassword": {"adminPass": g.word()}},
        lambda: {"restore": None}, lambda: {"forceDelete": None}, lambda: {"trigger_crash_dump": None},
        lambda: {"injectNetworkInfo": None}, lambda: {"resetNetwork": None},
        lambda: {"addSecurityGroup": {"name": g.choice(("default", g.id("security_group")))}},
        lambda: {"removeSecurityGroup": {"name": g.choice(("default", g.id("security_group")))}},
        lambda: {"addFixedIp": {"networkId": g.id("network")}}, lambda: {"removeFixedIp": {"address": address(g)}},
        lambda: {"addFloatingIp": {"address": address(g)}}, lambda: {"removeFloatingIp": {"address": address(g)}},
        lambda: {"lock": {"locked_reason": g.word()}}, lambda: {g.word(): None},
        lambda: {"os-start": None, "os-stop": None}, lambda: server_power(g)))()


@wrapped("remote_console")
def remote_console(g):
    return {"protocol": g.choice(("vnc", "spice", "serial", "mks")),
            "type": g.choice(("novnc", "serial", "spice-html5"))}


@wrapped("metadata")
def nova_metadata(g):
    return {g.word(): g.word() for _ in range(g.choice((0, 1, 3)))}


@wrapped("meta")
def meta(g):
    return {g.choice(("key", "toy")): g.word()}


def complete_migration(g):
    return {"force_complete": None}


@wrapped("interfaceAttachment")
def interface(g):
    return maybe(g, g.choice(({"net_id": g.id("network")}, {"port_id": g.id("port")}, {},
                              {"net_id": g.id("network"), "fixed_ips": [{"ip_address": address(g)}]})), tag=g.word)


@wrapped("volumeAttachment")
def volume_attachment(g):
    return maybe(g, {"volumeId": g.id("volume")}, device=lambda: g.choice(("/dev/vdc", "vdd", "/dev/../etc", "auto")),
                 tag=g.word, delete_on_termination=lambda: g.chance(0.5))


@wrapped("flavor")
def flavor(g):
    return maybe(
        g, named(g, ram=g.choice((64, 128, 2 ** 31 - 1)), vcpus=g.choice((1, 2, 9999)), disk=g.choice((0, 1, 2))),
        id=g.word, swap=lambda: g.choice((0, 64)), rxtx_factor=lambda: 1.0, description=g.word,
        **{"OS-FLV-EXT-DATA:ephemeral": lambda: g.choice((0, 1)), "os-flavor-access:is_public": lambda: g.chance(0.5)})


@wrapped("flavor")
def flavor_change(g):
    return {"description": g.choice((None, g.word()))}


def flavor_access(g):
    return {g.choice(("addTenantAccess", "removeTenantAccess")): {"tenant": g.id("project")}}


@wrapped("extra_specs")
def extra_specs(g):
    return dict([spec(g) for _ in range(g.choice((1, 1, 3)))])


def extra_spec(g):
    return dict([("key", g.word()) if g.chance(0.5) else spec(g)])


def spec(g):
    return g.choice((
        (g.word(), g.word()), ("hw:cpu_policy", g.choice(("shared", "dedicated"))), ("resources:VCPU", "2"),
        ("trait:HW_CPU_X86_VMX", "required"), ("quota:cpu_shares", "10"), ("hw:mem_page_size", "large"),
        ("aggregate_instance_extra_specs:toy", "true"), ("hw_rng:allowed", "True"), ("volume_backend_name", g.word()),
        ("multiattach", "<is> True"), ("RESKEY:availability_zones", "nova")))


@wrapped("keypair")
def keypair(g):
    return maybe(g, named(g, public_key=g.choice((SSH_KEY, SSH_KEY, "ssh-rsa AAAA", g.word()))),
                 type=lambda: g.choice(("ssh", "ssh", "x509")), user_id=lambda: g.id("user"))


@wrapped("server_group")
def server_group(g):
    policy = g.choice(("affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"))
    return maybe(g, named(g, policy=policy), **(
        {"rules": lambda: {"max_server_per_host": g.choice((1, 3))}} if policy == "anti-affinity" else {}))


@wrapped("aggregate")
def aggregate(g):
    return maybe(g, named(g), availability_zone=lambda: g.choice((None, g.word())))


@wrapped("aggregate")
def aggregate_change(g):
    return maybe(g, {}, name=g.word, availability_zone=lambda: g.choice((None, g.word())))


def aggregate_action(g):
    return g.choice(({"add_host": {"host": g.id("host")}}, {"remove_host": {"host": g.id("host")}},
                     {"set_metadata": {"metadata": {g.word(): g.choice((None, g.word()))}}},
                     {"set_metadata": {"metadata": {"availability_zone": g.word()}}}))


def aggregate_images(g):
    return {"cache": [{"id": g.id("image")}]}


@wrapped("quota_set")
def nova_quota(g):
    return maybe(g, {"instances": g.choice((20, 30, -1))}, cores=lambda: g.choice((100, -1)), ram=lambda: 10 ** 6,
                 key_pairs=lambda: 200, metadata_items=lambda: 128, force=lambda: g.chance(0.5),
                 server_groups=lambda: 20)


def nova_service(g):
    return maybe(g, {}, status=lambda: g.choice(("enabled", "enabled", "disabled")), disabled_reason=g.word,
                 forced_down=lambda: False)


def nova_host(g):
    return {"status": g.choice(("enable", "enable", "disable")), "maintenance_mode": "disable"}


@wrapped("events")
def external_events(g):
    return [maybe(g, {
        "name": g.choice(("network-changed", "network-vif-plugged", "volume-extended", "power-update", g.word())),
        "server_uuid": g.id("server")}, tag=lambda: g.id("port"), status=lambda: "completed")
        for _ in range(g.choice((1, 3)))]


@wrapped("snapshot")
def assisted_snapshot(g):
    return {"volume_id": g.id("volume"), "create_info": {"snapshot_id": g.id("volume_snapshot"), "type": "qcow2"}}


def proxy_floating_ip(g):
    return {"pool": g.choice(("outside", g.word()))}


@wrapped("security_group")
def proxy_group(g):
    return named(g, description=g.word())


@wrapped("security_group_rule")
def proxy_rule(g):
    low = g.randrange(1, 255)
    return maybe(g, {"parent_group_id": g.id("security_group"), "ip_protocol": g.choice(("tcp", "udp", "icmp")),
                     "from_port": low, "to_port": low + 1}, cidr=lambda: cidr(g),
                 group_id=lambda: g.id("security_group"))
