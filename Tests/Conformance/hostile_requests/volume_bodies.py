"""Sound bodies of the volume service. `g` is a Generator: chance and known ids."""
from .bodies import maybe, named, wrapped

STATES = ("available", "error", "creating", "in-use", "deleting", "error_deleting", "maintenance", "awaiting-transfer")


@wrapped("volume")
def volume(g):
    source = g.choice((
        {}, {}, {}, {"imageRef": g.stage.seed}, {"imageRef": g.id("image")}, {"snapshot_id": g.id("volume_snapshot")},
        {"source_volid": g.id("volume")}))
    return maybe(
        g, {"size": g.choice((1, 1, 2, 3)), **source}, name=g.word, description=g.word,
        metadata=lambda: {g.word(): g.word()}, availability_zone=lambda: g.choice(("nova", "nova", g.word(), None)),
        multiattach=lambda: g.chance(0.1),
        **({"volume_type": lambda: g.id("volume_type"), "consistencygroup_id": lambda: None,
            "scheduler_hints": lambda: {"same_host": [g.id("volume")]}} if g.chance(0.3) else {}))


@wrapped("volume")
def volume_change(g):
    return maybe(g, {}, name=g.word, description=g.word, metadata=lambda: {g.word(): g.word()}, display_name=g.word)


def connector(g):
    return maybe(g, {"initiator": "iqn.2026-01.org.example:" + g.word(), "host": g.word(), "ip": "10.0.0.1"},
                 multipath=lambda: False, os_type=lambda: "linux", platform=lambda: "x86_64",
                 mountpoint=lambda: "/dev/vdb", mode=lambda: g.choice(("rw", "ro")))


def volume_action(g):
    return g.choice((
        lambda: {"os-extend": {"new_size": g.choice((2, 3, 4, 2 ** 31 - 1))}},
        lambda: {"os-reserve": None}, lambda: {"os-unreserve": None}, lambda: {"os-begin_detaching": None},
        lambda: {"os-roll_detaching": None},
        lambda: {"os-detach": maybe(g, {}, attachment_id=lambda: g.id("attachment"))},
        lambda: {"os-attach": maybe(g, {"instance_uuid": g.id("server"), "mountpoint": "/dev/vdb"}, mode=lambda: "rw")},
        lambda: {"os-initialize_connection": {"connector": connector(g)}},
        lambda: {"os-terminate_connection": {"connector": connector(g)}},
        lambda: {"os-volume_upload_image": maybe(
            g, {"image_name": g.word(), "container_format": "bare", "disk_format": g.choice(("raw", "qcow2"))},
            force=lambda: g.chance(0.5), visibility=lambda: "private", protected=lambda: False)},
        lambda: {"os-reset_status": maybe(g, {"status": g.choice(STATES)}, attach_status=lambda: "detached",
                                          migration_status=lambda: None)},
        lambda: {"os-force_delete": None}, lambda: {"os-force_detach": {"attachment_id": g.id("attachment")}},
        lambda: {"os-update_readonly_flag": {"readonly": g.chance(0.5)}},
        lambda: {"os-set_bootable": {"bootable": True}},
        lambda: {"os-set_image_metadata": {"metadata": {g.word(): g.word()}}},
        lambda: {"os-unset_image_metadata": {"key": g.word()}}, lambda: {"os-show_image_metadata": None},
        lambda: {"os-retype": {"new_type": g.id("volume_type"), "migration_policy": g.choice(("never", "on-demand"))}},
        lambda: {"os-migrate_volume": {"host": g.id("host"), "force_host_copy": False}},
        lambda: {"os-migrate_volume_completion": {"new_volume": g.id("volume"), "error": False}},
        lambda: {"revert": {"snapshot_id": g.id("volume_snapshot")}}, lambda: {"os-unmanage": None},
        lambda: {"os-reimage": {"image_id": g.stage.seed}}, lambda: {g.word(): {}}))()


@wrapped("snapshot")
def snapshot(g):
    return maybe(g, {"volume_id": g.id("volume")}, name=g.word, description=g.word,
                 metadata=lambda: {g.word(): g.word()}, force=lambda: g.chance(0.5))


@wrapped("snapshot")
def snapshot_change(g):
    return maybe(g, {}, name=g.word, description=g.word)


def snapshot_action(g):
    return g.choice(({"os-reset_status": {"status": g.choice(("available", "error", "deleting"))}},
                     {"os-force_delete": None},
                     {"os-update_snapshot_status": {"status": "available", "progress": "50%"}},
                     {"os-unmanage": None}))


@wrapped("attachment")
def attachment(g):
    return maybe(g, {"volume_uuid": g.id("volume")}, instance_uuid=lambda: g.id("server"), mode=lambda: "rw",
                 connector=lambda: connector(g))


@wrapped("attachment")
def attachment_change(g):
    return {"connector": connector(g)}


def attachment_action(g):
    return {"os-complete": None}


@wrapped("volume_type")
def volume_type(g):
    return maybe(g, named(g), description=g.word, extra_specs=lambda: {g.word(): g.word()},
                 **{"os-volume-type-access:is_public": lambda: g.chance(0.5)})


@wrapped("volume_type")
def volume_type_change(g):
    return maybe(g, {}, name=g.word, description=g.word, is_public=lambda: g.chance(0.5))


def type_access(g):
    return {g.choice(("addProjectAccess", "removeProjectAccess")): {"project": g.id("project")}}


@wrapped("encryption")
def encryption(g):
    return maybe(g, {"provider": "luks", "control_location": g.choice(("front-end", "back-end"))},
                 cipher=lambda: "aes-xts-plain64", key_size=lambda: 256)


@wrapped("default_type")
def default_type(g):
    return {"volume_type": g.id("volume_type")}


@wrapped("qos_specs")
def qos(g):
    return maybe(g, named(g, consumer=g.choice(("front-end", "back-end", "both"))), total_iops_sec=lambda: "100",
                 **{"colour": g.word})


@wrapped("qos_specs")
def qos_change(g):
    return maybe(g, {}, consumer=lambda: "back-end", total_bytes_sec=lambda: "1000", colour=g.word)


def qos_keys(g):
    return {"keys": ["colour", "total_iops_sec"]}


@wrapped("quota_set")
def volume_quota(g):
    return maybe(g, {"volumes": g.choice((20, 50, -1))}, snapshots=lambda: 50, gigabytes=lambda: g.choice((1000, -1)),
                 per_volume_gigabytes=lambda: -1)


@wrapped("quota_class_set")
def volume_class_quota(g):
    return {"volumes": g.choice((10, 20))}


def volume_service(g):
    return maybe(g, {"host": g.choice((g.id("host"), g.word())), "binary": "cinder-volume"}, disabled_reason=g.word)


@wrapped("transfer")
def transfer(g):
    return maybe(g, {"volume_id": g.id("volume")}, name=g.word, no_snapshots=lambda: g.chance(0.5))


@wrapped("accept")
def accept(g):
    return {"auth_key": g.choice((g.word(), g.key()[:16]))}


@wrapped("volume")
def manage(g):
    return named(g, host=g.word(), ref={"source-name": g.word()})
