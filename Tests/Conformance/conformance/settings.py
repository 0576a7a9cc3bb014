"""What tempest.conf says: every feature that Skerry has is turned on, so that nothing is skipped that could run."""
import configparser
import dataclasses


# What two required tests exercise; the same for the cloud and for tempest.
LOCKOUT_ATTEMPTS, LOCKOUT_SECONDS, UNIQUE_PASSWORDS = 2, 5, 2


@dataclasses.dataclass
class Facts:
    """What is known of the running cloud when tempest.conf is written."""
    identity_url: str
    certificate: str
    password: str
    lock_folder: str
    catalog: set
    # From `seed`: the ids of two images and two flavors, the external network, addresses of files on a web server.
    seeds: dict = dataclasses.field(default_factory=dict)


def plain(web_port):
    """The coordinator's settings that an ordinary run needs: it may fetch images from the web server."""
    return {"images": {"web_download": {
        "hosts": ["127.0.0.1"], "ports": [web_port], "networks": ["127.0.0.0/8"]}}}


def for_tempest(web_port):
    """Lockout and password history, too, which are off unless an operator asks for them."""
    return merged(plain(web_port), {"identity": {
        "lockout_failure_attempts": LOCKOUT_ATTEMPTS, "lockout_duration": LOCKOUT_SECONDS,
        "unique_last_password_count": UNIQUE_PASSWORDS}})


def base(facts):
    has = lambda kind: kind in facts.catalog
    return {
        "DEFAULT": {"debug": True, "log_file": "tempest.log", "use_stderr": False, "resource_name_prefix": "tempest"},
        "oslo_concurrency": {"lock_path": facts.lock_folder},
        "auth": {
            "use_dynamic_credentials": True, "create_isolated_networks": has("network"), "tempest_roles": "member",
            "admin_username": "admin", "admin_password": facts.password, "admin_project_name": "admin",
            "admin_domain_name": "Default", "admin_user_domain_name": "Default",
            "admin_project_domain_name": "Default", "default_credentials_domain_name": "Default"},
        "identity": {
            "uri_v3": facts.identity_url, "auth_version": "v3", "region": "RegionOne", "v3_endpoint_type": "public",
            "default_domain_id": "default", "admin_role": "admin", "ca_certificates_file": facts.certificate,
            "user_lockout_failure_attempts": LOCKOUT_ATTEMPTS, "user_lockout_duration": LOCKOUT_SECONDS,
            "user_unique_last_password_count": UNIQUE_PASSWORDS, "user_minimum_password_age": 0},
        "identity-feature-enabled": {
            "api_v3": True, "api_v2": False, "security_compliance": True, "access_rules": True, "trust": True,
            "immutable_user_source": False,
            # Users from LDAP and from other clouds come later.
            "domain_specific_drivers": False, "federation": False, "external_idp": False},
        "service_available": {
            "glance": has("image"), "nova": has("compute"), "neutron": has("network"), "cinder": has("block-storage"),
            "swift": has("object-store"), "horizon": False},
        "enforce_scope": {"glance": True, "keystone": True},
        "compute": {
            "image_ref": facts.seeds.get("image", ""), "image_ref_alt": facts.seeds.get("image_alt", ""),
            "flavor_ref": facts.seeds.get("flavor", ""), "flavor_ref_alt": facts.seeds.get("flavor_alt", ""),
            "build_interval": 1, "build_timeout": 60},
        "network": {"public_network_id": facts.seeds.get("external", "")},
        "validation": {"run_validation": False},
        "service-clients": {"http_timeout": 60},
    }


def system_scope(facts):
    return {"auth": {"admin_system": "all"}, "identity": {"use_system_token": True}}


def image(facts):
    return {
        "image": {
            "http_image": facts.seeds["web_raw"], "http_qcow2_image": facts.seeds["web_qcow2"],
            "container_formats": ",".join(facts.seeds["container_formats"]),
            "disk_formats": ",".join(facts.seeds["disk_formats"]), "hashing_algorithm": "sha512",
            "build_interval": 1, "build_timeout": 60},
        "image-feature-enabled": {
            "api_v2": True, "import_image": True, "os_glance_reserved": True, "image_conversion": True,
            "image_format_enforcement": True, "do_secure_hash": True,
            # Locations are read-only in Skerry, and the one store is its own.
            "manage_locations": False, "http_store_enabled": False, "store_weight_enabled": False},
    }


def compute(facts):
    return merged({key: value for key, value in volume(facts).items() if key.startswith("volume")}, network(facts), {
        "compute": {
            "max_microversion": "2.96", "min_compute_nodes": 2, "build_timeout": 120, "volume_device_name": "vdb",
            "hypervisor_type": "QEMU"},
        "compute-feature-enabled": {
            "disk_config": True, "console_output": True, "resize": True, "pause": True, "shelve": True,
            "suspend": True, "rescue": True, "snapshot": True, "interface_attach": True, "config_drive": True,
            "enable_instance_password": True, "hostname_fqdn_sanitization": True, "dhcp_domain": "",
            "vnc_console": True, "serial_console": True,
            "ide_bus": True, "metadata_service": True, "stable_rescue": True, "cold_migration": True,
            "scheduler_enabled_filters": "all",
            # Each of these is refused with a reason.
            "change_password": False, "shelve_migrate": False, "live_migration": False, "volume_multiattach": False,
            "volume_backed_live_migration": False, "swap_volume": False, "attach_encrypted_volume": False,
            "personality": False, "vtpm_live_migration": False, "unified_limits": False,
            "spice_console": False},
    })


def volume(facts):
    return {
        "volume": {
            "catalog_type": "block-storage", "volume_size": 1, "build_interval": 1, "build_timeout": 120,
            "max_microversion": "3.70", "vendor_name": "Skerry", "storage_protocol": "file", "backend_names": "local",
            "disk_format": "raw,qcow2"},
        "volume-feature-enabled": {
            "snapshot": True, "clone": True, "volume_revert": True, "extend_attached_volume": True,
            "extend_volume_with_snapshot": True,
            # Each of these is refused with a reason.
            "backup": False, "multi_backend": False, "manage_volume": False, "manage_snapshot": False,
            "consistency_group": False, "extend_attached_encrypted_volume": False},
        "service_available": {"cinder": True},
    }


def network(facts):
    # Those that Skerry announces: what an extension adds is tested where there is one.
    extensions = (
        "address-group,address-scope,allowed-address-pairs,availability_zone,binding,default-subnetpools,"
        "empty-string-filtering,expose-port-forwarding-in-fip,ext-gw-mode,external-net,"
        "extra_dhcp_opt,extraroute,extraroute-atomic,filter-validation,fip-port-details,floating-ip-port-forwarding,"
        "floating-ip-port-forwarding-description,floatingip-autodelete-internal,ip-substring-filtering,net-mtu,"
        "net-mtu-writable,network-ip-availability,pagination,port-security,port-security-groups-filtering,"
        "project-id,provider,qos,quota_details,quotas,rbac-address-group,rbac-address-scope,rbac-policies,"
        "rbac-security-groups,rbac-subnetpool,router,router_availability_zone,security-group,"
        "security-groups-normalized-cidr,security-groups-remote-address-group,"
        "security-groups-rules-belongs-to-default-sg,sort-key-validation,sorting,standard-attr-description,"
        "standard-attr-revisions,standard-attr-tag,standard-attr-timestamp,subnet-external-network,"
        "subnet_allocation,subnet_onboard,subnetpool-prefix-ops")
    return {"network-feature-enabled": {
        "ipv6": True, "ipv6_subnet_attributes": True, "floating_ips": True, "port_admin_state_change": True,
        "port_security": True, "api_extensions": extensions}}


def object_storage(facts):
    return {
        "object-storage": {"operator_role": "member", "reseller_admin_role": "ResellerAdmin"},
        "object-storage-feature-enabled": {
            "discoverability": True, "object_versioning": True, "tempurl_digest_hashlib": "sha256",
            # What the store says in /info that it has.
            "discoverable_apis": "account_quotas,container_quotas,bulk_upload,bulk_delete,tempurl,crossdomain,"
                                 "staticweb,dlo,slo"}}


def any_bytes(facts):
    formats = [name for name in facts.seeds["container_formats"] if name in ("bare", "ova", "ovf")]
    return merged(image(facts), {
        "image": {"disk_formats": "raw", "container_formats": ",".join(formats)},
        "image-feature-enabled": {"image_format_enforcement": False}})


def formats(facts):
    return merged(image(facts), {"image": {"images_manifest_file": facts.seeds["manifest"]}})


def merged(*tables):
    result = {}
    for table in tables:
        for section, options in table.items():
            result.setdefault(section, {}).update(options)
    return result


def write(path, table):
    parser = configparser.RawConfigParser()
    for section, options in table.items():
        if section != "DEFAULT":
            parser.add_section(section)
        for name, value in options.items():
            if value != "":
                parser.set(section, name, str(value))
    with open(path, "w") as out:
        parser.write(out)
