"""Sound bodies of the network service. `g` is a Generator: chance and known ids."""
from .bodies import maybe, named, wrapped

PROTOCOLS = ("tcp", "udp", "icmp", "ipv6-icmp", "sctp", "vrrp", "6", "132", 17, 0, None, "any")


def cidr(g):
    return g.choice((
        f"10.{g.randrange(256)}.{g.randrange(256)}.0/24", f"10.{g.randrange(256)}.0.0/16", "10.0.0.0/8", "10.1.2.3/32",
        f"fd00:{g.randrange(65536):x}::/64", "fd00::/48", "0.0.0.0/0", "169.254.0.0/16", "224.0.0.0/4", "::/0"))


def address(g):
    return g.choice((f"10.{g.randrange(4)}.0.{g.randrange(256)}", "203.0.113.9", "fd00::9", "127.0.0.1", "0.0.0.0"))


def net_tags(g):
    return {"tags": [g.word() for _ in range(g.randint(0, 5))]}


@wrapped("network")
def network(g):
    return maybe(
        g, named(g), description=g.word, admin_state_up=lambda: g.chance(0.8),
        port_security_enabled=lambda: g.chance(0.7), shared=lambda: g.chance(0.3),
        mtu=lambda: g.choice((0, 68, 1280, 1400, 9000)),
        project_id=lambda: g.id("project"),
        **{"router:external": lambda: g.chance(0.3), "is_default": lambda: g.chance(0.2)},
        **({"provider:network_type": lambda: g.choice(("vxlan", "vlan", "flat", "geneve", "local")),
            "provider:physical_network": g.word, "provider:segmentation_id": lambda: g.randrange(5000)}
           if g.chance(0.1) else {}))


@wrapped("network")
def network_change(g):
    return maybe(g, {}, name=g.word, description=g.word, admin_state_up=lambda: g.chance(0.8),
                 shared=lambda: g.chance(0.3), mtu=lambda: 1400, port_security_enabled=lambda: g.chance(0.7),
                 **{"router:external": lambda: g.chance(0.3)})


@wrapped("subnet")
def subnet(g):
    members = {"network_id": g.id("network"), "cidr": cidr(g)}
    members["ip_version"] = 6 if ":" in members["cidr"] else 4
    if g.chance(0.2):
        members = {"network_id": g.id("network"), "subnetpool_id": g.id("subnetpool"), "prefixlen": g.choice((24, 28)),
                   "ip_version": 4}
    return maybe(
        g, members, name=g.word, description=g.word, enable_dhcp=lambda: g.chance(0.7),
        gateway_ip=lambda: g.choice((None, address(g))), dns_nameservers=lambda: [address(g)],
        allocation_pools=lambda: [{"start": "10.0.0.10", "end": "10.0.0.20"}],
        host_routes=lambda: [{"destination": cidr(g), "nexthop": address(g)}],
        **({"ipv6_address_mode": lambda: g.choice(("slaac", "dhcpv6-stateful", "dhcpv6-stateless")),
            "ipv6_ra_mode": lambda: "slaac"} if members["ip_version"] == 6 else {}))


@wrapped("subnet")
def subnet_change(g):
    return maybe(g, {}, name=g.word, description=g.word, enable_dhcp=lambda: g.chance(0.7),
                 gateway_ip=lambda: g.choice((None, address(g))), dns_nameservers=lambda: [address(g), address(g)],
                 host_routes=lambda: [{"destination": cidr(g), "nexthop": address(g)}],
                 allocation_pools=lambda: [{"start": address(g), "end": address(g)}])


def port_members(g):
    return maybe(
        g, {"network_id": g.id("network")}, name=g.word, description=g.word, admin_state_up=lambda: g.chance(0.8),
        fixed_ips=lambda: [g.choice(({"subnet_id": g.id("subnet")}, {"ip_address": address(g)}))],
        security_groups=lambda: [g.id("security_group")], mac_address=lambda: f"fa:16:3e:00:00:{g.randrange(256):02x}",
        allowed_address_pairs=lambda: [{"ip_address": cidr(g)}], device_id=lambda: g.id("server"),
        device_owner=lambda: g.choice(("", "network:floatingip", "compute:nova", "network:dhcp", g.word())),
        port_security_enabled=lambda: g.chance(0.7))


@wrapped("port")
def port(g):
    return maybe(g, {"network_id": g.id("network"), "name": g.word()}) if g.chance(0.5) else port_members(g)


@wrapped("ports")
def ports(g):
    return [port_members(g) for _ in range(g.choice((0, 1, 2, 4)))]


@wrapped("port")
def port_change(g):
    members = port_members(g)
    del members["network_id"]
    return maybe(g, members, **{"binding:host_id": g.word, "binding:vnic_type": lambda: "normal",
                                "binding:profile": lambda: {g.word(): g.word()}})


@wrapped("security_group")
def security_group(g):
    return maybe(g, named(g), description=g.word, project_id=lambda: g.id("project"), stateful=lambda: True)


@wrapped("security_group")
def security_group_change(g):
    return maybe(g, {}, name=g.word, description=g.word)


def rule_members(g):
    members = {"security_group_id": g.id("security_group"), "direction": g.choice(("ingress", "egress"))}
    low = g.choice((0, 1, 22, 65535, g.randrange(65536)))
    return maybe(
        g, members, ethertype=lambda: g.choice(("IPv4", "IPv6")), protocol=lambda: g.choice(PROTOCOLS),
        description=g.word, **g.choice(({}, {
            "port_range_min": lambda: low, "port_range_max": lambda: g.choice((low, 65535))}, {
            "remote_ip_prefix": lambda: cidr(g)}, {"remote_group_id": lambda: g.id("security_group")}, {
            "remote_address_group_id": lambda: g.id("address_group")})))


@wrapped("security_group_rule")
def security_group_rule(g):
    members = {"security_group_id": g.id("security_group"), "direction": "ingress", "protocol": "tcp",
               "port_range_min": g.randrange(1, 65000), "port_range_max": 65001}
    return members if g.chance(0.5) else rule_members(g)


def gateway(g):
    network = g.stage.outside if g.chance(0.7) else g.id("network")
    return g.choice((None, {"network_id": network}, {"network_id": network, "enable_snat": g.chance(0.5)},
                     {"network_id": network, "external_fixed_ips": [{"ip_address": "203.0.113.77"}]}))


@wrapped("router")
def router(g):
    return maybe(g, named(g), description=g.word, admin_state_up=lambda: g.chance(0.8),
                 project_id=lambda: g.id("project"), external_gateway_info=lambda: gateway(g),
                 availability_zone_hints=list)


@wrapped("router")
def router_change(g):
    return maybe(g, {}, name=g.word, description=g.word, admin_state_up=lambda: g.chance(0.8),
                 external_gateway_info=lambda: gateway(g),
                 routes=lambda: [{"destination": cidr(g), "nexthop": address(g)} for _ in range(g.choice((0, 1, 3)))])


def router_interface(g):
    return g.choice(({"subnet_id": g.id("subnet")}, {"port_id": g.id("port")},
                     {"subnet_id": g.id("subnet"), "port_id": g.id("port")}, {}))


@wrapped("router")
def extra_routes(g):
    return {"routes": [{"destination": cidr(g), "nexthop": address(g)} for _ in range(g.choice((1, 1, 3)))]}


@wrapped("floatingip")
def floatingip(g):
    network = g.stage.outside if g.chance(0.8) else g.id("network")
    return maybe(g, {"floating_network_id": network}, description=g.word, port_id=lambda: g.id("port"),
                 fixed_ip_address=lambda: address(g), project_id=lambda: g.id("project"),
                 floating_ip_address=lambda: f"203.0.113.{g.randrange(256)}")


@wrapped("floatingip")
def floatingip_change(g):
    return maybe(g, {}, description=g.word, port_id=lambda: g.choice((None, g.id("port"))),
                 fixed_ip_address=lambda: address(g))


@wrapped("port_forwarding")
def port_forwarding(g):
    return maybe(g, {
        "protocol": g.choice(("tcp", "udp")), "external_port": g.randrange(1, 65536),
        "internal_port": g.randrange(1, 65536),
        "internal_port_id": g.id("port"), "internal_ip_address": address(g)}, description=g.word)


@wrapped("port_forwarding")
def port_forwarding_change(g):
    return maybe(g, {}, protocol=lambda: g.choice(("tcp", "udp")), external_port=lambda: g.randrange(1, 65536),
                 internal_port=lambda: g.randrange(1, 65536), description=g.word, internal_port_id=lambda: g.id("port"))


@wrapped("subnetpool")
def subnetpool(g):
    return maybe(
        g, named(g, prefixes=[f"10.{g.randrange(256)}.0.0/16"] if g.chance(0.7) else [cidr(g), cidr(g)]),
        default_prefixlen=lambda: g.choice((24, 26, 64)), min_prefixlen=lambda: g.choice((8, 20, 28)),
        max_prefixlen=lambda: g.choice((24, 32)), description=g.word, is_default=lambda: g.chance(0.2),
        shared=lambda: g.chance(0.2), default_quota=lambda: g.choice((0, 10, 2 ** 31)),
        address_scope_id=lambda: g.id("address_scope"))


@wrapped("subnetpool")
def subnetpool_change(g):
    return maybe(g, {}, name=g.word, description=g.word, prefixes=lambda: [cidr(g), cidr(g)],
                 default_prefixlen=lambda: 25, address_scope_id=lambda: g.choice((None, g.id("address_scope"))))


def net_prefixes(g):
    return {"prefixes": [cidr(g) for _ in range(g.choice((1, 1, 3)))]}


def onboarding(g):
    return {"network_id": g.id("network")}


@wrapped("address_scope")
def address_scope(g):
    return maybe(g, named(g, ip_version=g.choice((4, 4, 6))), description=g.word, shared=lambda: g.chance(0.3))


@wrapped("address_scope")
def address_scope_change(g):
    return maybe(g, {}, name=g.word, description=g.word, shared=lambda: g.chance(0.3))


@wrapped("address_group")
def address_group(g):
    return maybe(g, named(g), description=g.word, addresses=lambda: [cidr(g) for _ in range(g.choice((0, 1, 3)))])


@wrapped("address_group")
def address_group_change(g):
    return maybe(g, {}, name=g.word, description=g.word)


def net_addresses(g):
    return {"addresses": [cidr(g) for _ in range(g.choice((1, 1, 3)))]}


@wrapped("rbac_policy")
def rbac_policy(g):
    kind = g.choice(("network", "security_group", "subnetpool", "address_scope", "address_group", "qos_policy"))
    return {"object_type": kind, "object_id": g.id(kind), "target_tenant": g.choice((g.id("project"), "*")),
            "action": g.choice(("access_as_shared", "access_as_shared", "access_as_external"))}


@wrapped("rbac_policy")
def rbac_change(g):
    return {"target_tenant": g.choice((g.id("project"), "*", g.key()))}


@wrapped("quota")
def net_quota(g):
    return maybe(g, {"port": g.choice((-1, 50, 500))}, network=lambda: g.choice((-1, 100)), router=lambda: 10,
                 floatingip=lambda: 50, security_group_rule=lambda: 2 ** 31 - 1, rbac_policy=lambda: 10)
