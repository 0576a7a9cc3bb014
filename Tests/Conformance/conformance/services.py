"""The table of services: which tests belong to each, what they need in the cloud, and how tempest is told about it.

A service has one or more passes. A pass is one run of tempest over some of its tests with settings of its own; what one
pass leaves out, another takes.
"""
import dataclasses

from . import settings


@dataclasses.dataclass(frozen=True)
class Pass:
    name: str
    include: str
    exclude: str = ""
    # On top of `settings.base`: section -> option -> value. Called with the `settings.Facts` of the running cloud.
    options: object = lambda facts: {}
    # Left out by --quick.
    slow: bool = False


@dataclasses.dataclass(frozen=True)
class Service:
    passes: tuple
    # Names in `seed.MAKERS`.
    needs: tuple = ()
    hosts: int = 0


# Tests of this class upload random bytes and call them each of the configured formats. As what it says is checked, it
# runs with the one format that random bytes are.
ANY_BYTES = r"^tempest\.api\.image\.v2\.test_images\.ListUserImagesTest"
# Tests that bring images of all formats, sound and hostile ones, and want a compute service beside them.
FORMATS = r"^tempest\.api\.image\.v2\.test_images_formats"

SERVICES = {
    "compute": Service(passes=(
        Pass("compute", r"^tempest\.api\.compute\.", options=settings.compute),
    ), needs=("images", "flavors", "external"), hosts=2),
    "identity": Service(passes=(
        Pass("identity", r"^tempest\.api\.identity\."),
        Pass("identity, administrators with system scope", r"^tempest\.api\.identity\.admin\.",
             options=settings.system_scope, slow=True),
    )),
    "image": Service(passes=(
        Pass("image", r"^tempest\.api\.image\.", exclude=f"{ANY_BYTES}|{FORMATS}", options=settings.image),
        Pass("image, any bytes", ANY_BYTES, options=settings.any_bytes),
        Pass("image, formats", FORMATS, options=settings.formats),
    ), needs=("images", "flavors", "web", "formats"), hosts=1),
    "network": Service(passes=(
        Pass("network", r"^tempest\.api\.network\.", options=settings.network),
    ), needs=("external",), hosts=1),
    "object": Service(passes=(
        Pass("object", r"^tempest\.api\.object_storage\.", options=settings.object_storage),
    ), needs=("objects",)),
    "volume": Service(passes=(
        Pass("volume", r"^tempest\.api\.volume\.", options=settings.volume),
    ), needs=("images", "flavors"), hosts=1),
}
