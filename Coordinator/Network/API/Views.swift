import CoordinatorPlatform
import ProtocolModel

/// Resources as Neutron shows them.
enum View {
    typealias Members = [String: JSON]

    static func standard(_ standard: Standard, _ project: ProjectID, _ tags: [String]) -> Members {
        let owner = project == PortRecord.noProject ? "" : project.compact
        return [
            "name": JSON(standard.name), "description": JSON(standard.description), "tenant_id": JSON(owner),
            "project_id": JSON(owner), "revision_number": JSON(standard.revision),
            "created_at": JSON(Timestamp.seconds(standard.createdAt)),
            "updated_at": JSON(Timestamp.seconds(standard.updatedAt)), "tags": .array(tags.map { JSON($0) })
        ]
    }

    /// Adds what not everybody sees, where the rule of its name lets the caller see it: `get_port:binding:host_id`.
    private static func add(
        _ members: Members, to view: inout Members, _ resource: String, of project: ProjectID, _ call: APICall
    ) {
        for (name, value) in members where call.isAllowed("get_\(resource):\(name)", project: project) {
            view[name] = value
        }
    }

    static func network(_ item: Listed<NetworkRecord>, _ call: APICall) -> Members {
        let network = item.record
        var view = standard(network.standard, network.project, item.tags)
        view["id"] = JSON(network.id.text)
        view["admin_state_up"] = JSON(network.isAdminUp)
        view["status"] = "ACTIVE"
        view["shared"] = JSON(item.isShared(with: call))
        view["router:external"] = JSON(network.isExternal)
        view["mtu"] = JSON(network.mtuBytes)
        view["port_security_enabled"] = JSON(network.isPortSecurityEnabled)
        view["subnets"] = .array(item.subnets.map { JSON($0.text) })
        view["qos_policy_id"] = JSON(network.qosPolicy?.text)
        view["availability_zone_hints"] = []
        view["availability_zones"] = []
        view["ipv4_address_scope"] = JSON(item.scopes[.ipv4]?.text)
        view["ipv6_address_scope"] = JSON(item.scopes[.ipv6]?.text)
        if network.isExternal { view["is_default"] = JSON(network.isDefault) }
        let provider: Members = [
            "provider:network_type": JSON(network.networkType),
            "provider:physical_network": JSON(network.physicalNetwork),
            "provider:segmentation_id": JSON(network.segmentationID)
        ]
        add(provider, to: &view, "network", of: network.project, call)
        return view
    }

    static func subnet(_ item: Listed<SubnetRecord>) -> Members {
        let subnet = item.record
        var view = standard(subnet.standard, subnet.project, item.tags)
        view["id"] = JSON(subnet.id.text)
        view["network_id"] = JSON(subnet.network.text)
        view["ip_version"] = JSON(subnet.prefix.family.rawValue)
        view["cidr"] = JSON(subnet.prefix.description)
        view["gateway_ip"] = JSON(subnet.gateway?.description)
        view["enable_dhcp"] = JSON(subnet.isDHCPEnabled)
        view["ipv6_address_mode"] = JSON(subnet.addressMode?.rawValue)
        view["ipv6_ra_mode"] = JSON(subnet.raMode?.rawValue)
        view["subnetpool_id"] = JSON(subnet.subnetPool?.text)
        view["dns_nameservers"] = .array(subnet.dnsServers.map { JSON($0.description) })
        view["host_routes"] = .array(
            subnet.hostRoutes.map {
                ["destination": JSON($0.destination.description), "nexthop": JSON($0.nextHop.description)]
            })
        view["allocation_pools"] = .array(
            subnet.pools.map { ["start": JSON($0.first.description), "end": JSON($0.last.description)] })
        view["router:external"] = JSON(subnet.isNetworkExternal)
        return view
    }

    static func port(_ item: Listed<PortRecord>, _ call: APICall) -> Members {
        let port = item.record
        var view = standard(port.standard, port.project, item.tags)
        view["id"] = JSON(port.id.text)
        view["network_id"] = JSON(port.network.text)
        view["mac_address"] = JSON(port.mac.description)
        view["admin_state_up"] = JSON(port.isAdminUp)
        view["status"] = JSON(port.status.rawValue)
        view["device_id"] = JSON(port.deviceID)
        view["device_owner"] = JSON(port.deviceOwner)
        view["port_security_enabled"] = JSON(port.isSecurityEnabled)
        view["fixed_ips"] = .array(
            port.fixedIPs.map { ["subnet_id": JSON($0.subnet.text), "ip_address": JSON($0.address.description)] })
        view["security_groups"] = .array(port.groups.map { JSON($0.text) })
        view["allowed_address_pairs"] = .array(
            port.pairs.map {
                ["ip_address": JSON($0.address), "mac_address": JSON(($0.mac ?? port.mac).description)]
            })
        view["binding:vnic_type"] = JSON(port.vnicType)
        view["qos_policy_id"] = JSON(port.qosPolicy?.text)
        view["extra_dhcp_opts"] = .array(
            port.dhcpOptions.map {
                [
                    "opt_name": JSON($0.name), "opt_value": JSON($0.value), "ip_version": JSON($0.family.rawValue)
                ]
            })
        view["qos_network_policy_id"] = JSON(item.networkPolicy?.text)
        let binding: Members = [
            "binding:host_id": JSON(port.host), "binding:profile": [:], "binding:vif_type": JSON(vifType(port)),
            "binding:vif_details":
                port.node == nil ? [:] : ["port_filter": true, "connectivity": "l2", "bound_drivers": ["0": "skerry"]]
        ]
        add(binding, to: &view, "port", of: port.project, call)
        return view
    }

    private static func vifType(_ port: PortRecord) -> String {
        if port.node == nil { return "unbound" }
        return port.lastError == nil ? "bridge" : "binding_failed"
    }

    static func group(_ item: Listed<SecurityGroupRecord>, _ call: APICall) -> Members {
        let group = item.record
        var view = standard(group.standard, group.project, item.tags)
        view["id"] = JSON(group.id.text)
        view["shared"] = JSON(item.isShared(with: call))
        view["security_group_rules"] = .array(item.rules.map { .object(rule($0)) })
        return view
    }

    static func rule(_ rule: RuleRecord) -> Members {
        var view = standard(rule.standard, rule.project, [])
        view["name"] = nil
        view["tags"] = nil
        view["id"] = JSON(rule.id.text)
        view["security_group_id"] = JSON(rule.group.text)
        view["direction"] = JSON(rule.direction.rawValue)
        view["ethertype"] = JSON(rule.ethertype)
        view["protocol"] = JSON(rule.protocolText)
        view["port_range_min"] = JSON(rule.portMin)
        view["port_range_max"] = JSON(rule.portMax)
        view["remote_ip_prefix"] = JSON(rule.remotePrefix)
        view["normalized_cidr"] = JSON(rule.normalizedPrefix?.description)
        view["remote_group_id"] = JSON(rule.remoteGroup?.text)
        view["remote_address_group_id"] = JSON(rule.remoteAddresses?.text)
        view["belongs_to_default_sg"] = JSON(rule.belongsToDefaultGroup)
        return view
    }
}
