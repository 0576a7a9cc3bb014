import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Why a port is as it is: where it is bound, what it has, which rules speak of it, and what keeps packets from it.
struct PortExplanation: Sendable {
    let service: NetworkService

    /// - Returns: `nil` for an unknown port.
    func explain(_ id: PortID, in reader: any SQLReader) throws -> JSON? {
        guard let port = try service.ports.find(id, in: reader),
            let network = try service.networks.find(port.network, in: reader)
        else { return nil }
        let node = try port.node.flatMap { try service.directory.node($0, in: reader) }
        let subnets = try service.subnets.subnets(of: port.network, in: reader)
        let groups = try service.groups.find(port.groups, in: reader)
        let rules = try service.rules.rules(of: port.groups, in: reader)
        let routers = try service.routers.routers(in: port.network, reader).compactMap {
            try service.routers.find($0, in: reader)
        }
        let facts = try facts(port, network, node, subnets, rules.values.flatMap(\.self), routers, in: reader)
        var story: [String: JSON] = [
            "id": JSON(id.text), "name": JSON(port.standard.name), "status": JSON(port.status.rawValue),
            "project_id": JSON(port.project.compact), "mac": JSON(port.mac.description),
            "server": JSON(port.server?.text), "device_owner": JSON(port.deviceOwner), "host": JSON(node?.hostname),
            "host_health": JSON(node?.health.rawValue), "interface": JSON(InterfaceName.tap(id).text),
            "network": [
                "id": JSON(network.id.text), "name": JSON(network.standard.name), "type": JSON(network.networkType),
                "physical_network": JSON(network.physicalNetwork), "segmentation_id": JSON(network.segmentationID),
                "mtu": JSON(network.mtuBytes)
            ],
            "findings": .array(facts.findings.map { JSON($0) })
        ]
        story["addresses"] = .array(
            port.fixedIPs.map { ip in
                let subnet = subnets.first { $0.id == ip.subnet }
                return [
                    "address": JSON(ip.address.description), "subnet": JSON(subnet?.prefix.description),
                    "gateway": JSON(subnet?.gateway?.description), "dhcp": JSON(subnet?.isDHCPEnabled ?? false)
                ]
            })
        story["floating_ips"] = .array(
            try service.floatingIPs.addresses(of: [id], in: reader)[id, default: []].map { JSON($0.description) })
        story["security"] = port.isSecurityEnabled ? "on" : "off"
        story["security_groups"] = .array(
            groups.map { group in
                [
                    "id": JSON(group.id.text), "name": JSON(group.standard.name),
                    "rules": .array((rules[group.id] ?? []).map { JSON(Self.text($0)) })
                ]
            })
        story["routers"] = .array(
            routers.map { router in
                [
                    "id": JSON(router.id.text), "name": JSON(router.standard.name),
                    "gateway": JSON(router.gatewayIPs.first?.address.description)
                ]
            })
        story["limits"] = Self.render(try service.qualities(of: [port], in: reader)[id] ?? .init())
        return .object(story)
    }

    private func facts(
        _ port: PortRecord, _ network: NetworkRecord, _ node: Node?, _ subnets: [SubnetRecord], _ rules: [RuleRecord],
        _ routers: [RouterRecord], in reader: any SQLReader
    ) throws -> PortFacts {
        var facts = PortFacts()
        facts.hasServer = port.server != nil
        facts.isRouters = port.deviceOwner.hasPrefix("network:")
        facts.isAdminUp = port.isAdminUp
        facts.isActive = port.status == .active
        facts.lastError = port.lastError
        facts.physicalNetwork = network.physicalNetwork
        facts.host = node.map { node in
            PortFacts.Host(
                name: node.hostname, isUp: node.health == .up, physicalNetworks: node.report?.physicalNetworks ?? [],
                problems: node.report?.problems ?? [])
        }
        facts.families = Set(port.fixedIPs.map(\.address.family))
        facts.silentSubnets = subnets.filter { subnet in
            !subnet.isDHCPEnabled && port.fixedIPs.contains { $0.subnet == subnet.id }
        }.map(\.prefix.description)
        facts.isSecured = port.isSecurityEnabled
        facts.groupCount = port.groups.count
        for rule in rules { facts.allowed[rule.direction, default: []].insert(rule.family) }
        facts.hasWayOut = network.isExternal || routers.contains { $0.gatewayNetwork != nil }
        return facts
    }

    private static func text(_ rule: RuleRecord) -> String {
        var words = [rule.direction.rawValue, rule.ethertype, rule.protocolText ?? "any"]
        if let low = rule.portMin {
            words.append(rule.portMax.map { $0 == low ? "port \(low)" : "ports \(low)-\($0)" } ?? "type \(low)")
        }
        let from = rule.direction == .ingress ? "from" : "to"
        if let group = rule.remoteGroup {
            words.append("\(from) group \(group)")
        } else if let addresses = rule.remoteAddresses {
            words.append("\(from) address group \(addresses)")
        } else {
            words.append("\(from) \(rule.remotePrefix ?? "anywhere")")
        }
        return words.joined(separator: " ")
    }

    private static func render(_ quality: PortSpec.Quality) -> JSON {
        [
            "to_guest_kbps": JSON(quality.toGuest.map { $0.bitsPerSecond / 1000 }),
            "from_guest_kbps": JSON(quality.fromGuest.map { $0.bitsPerSecond / 1000 }), "dscp": JSON(quality.dscp)
        ]
    }
}

extension NetworkSlice {
    /// Everything that is known of why a port is as it is; `nil` for an unknown one.
    public func explain(_ port: PortID, in reader: any SQLReader) throws -> JSON? {
        try PortExplanation(service: service).explain(port, in: reader)
    }
}
