import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Synchronization

/// Gives nodes the networks of their ports.
struct NetworkSpecs: PlanSpecProvider {
    let service: NetworkService
    var kind: ResourceKind { .network }

    func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] {
        let wanted: [NetworkID] = ids.map { $0.cast() }
        let subnets = try service.subnets.subnets(of: wanted, in: reader)
        var result: [AnyID: ResourceSpec] = [:]
        for network in try service.networks.find(wanted, in: reader) {
            let served =
                try service.ports.hasGuest(of: network.id, on: node, in: reader)
                ? service.ports.servicePort(of: network.id, in: reader)?.fixedIPs ?? [] : []
            let spec = NetworkSpec(
                id: network.id, project: network.project, attachment: network.attachment, mtuBytes: network.mtuBytes,
                subnets: (subnets[network.id] ?? []).map { subnet in
                    subnet.spec(serviceAddress: served.first { $0.subnet == subnet.id }?.address)
                }, dnsDomain: service.settings.dnsDomain,
                remotePorts: network.isOverlay
                    ? try service.overlays.remotePorts(of: network.id, from: node, in: reader) : [])
            result[network.id.cast()] = .network(spec)
        }
        return result
    }
}

extension SubnetRecord {
    func spec(serviceAddress: IPAddress?) -> SubnetSpec {
        SubnetSpec(
            id: id, prefix: prefix, gateway: gateway, dnsServers: dnsServers, hostRoutes: hostRoutes,
            isDHCPEnabled: isDHCPEnabled && serviceAddress != nil, ipv6AddressMode: addressMode, ipv6RAMode: raMode,
            serviceAddress: isDHCPEnabled ? serviceAddress : nil)
    }
}

/// Gives nodes their ports.
struct PortSpecs: PlanSpecProvider {
    let service: NetworkService
    var kind: ResourceKind { .port }

    func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] {
        var result: [AnyID: ResourceSpec] = [:]
        let ports = try service.ports.find(ids.map { $0.cast() }, in: reader).filter { $0.node == node }
        let qualities = try service.qualities(of: ports, in: reader)
        for port in ports {
            var spec = port.spec
            spec.quality = qualities[port.id] ?? spec.quality
            result[port.id.cast()] = .port(spec)
        }
        return result
    }
}

extension PortRecord {
    /// Without what its policy says.
    var spec: PortSpec {
        PortSpec(
            id: id, network: network, server: server, mac: mac, fixedIPs: fixedIPs, isAdminUp: isAdminUp,
            isSecurityEnabled: isSecurityEnabled, securityGroups: groups,
            allowedPairs: pairs.compactMap { pair in
                IPPrefix(pair.address).map { PortSpec.AllowedPair(prefix: $0, mac: pair.mac) }
            }, hostname: hostname, dhcpOptions: dhcpOptions)
    }
}

/// Gives nodes the groups of their ports, with rules, and the groups those refer to, with members.
struct SecurityGroupSpecs: PlanSpecProvider {
    let service: NetworkService
    private let memory = GroupMembers()
    var kind: ResourceKind { .securityGroup }

    init(service: NetworkService) { self.service = service }

    func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] {
        let wanted: [SecurityGroupID] = ids.map { $0.cast() }
        let records = try service.groups.find(wanted, in: reader)
        let names = Dictionary(records.map { ($0.id, $0.standard.name) }) { first, _ in first }
        let known = records.map(\.id)
        // A group that is here for its members alone comes without rules: its remote groups are not here.
        let withRules = try known.filter { try service.members.hasMember($0, on: node, in: reader) }
        let rules = try service.rules.rules(of: withRules, in: reader)
        var result: [AnyID: ResourceSpec] = [:]
        for id in known {
            let members = try service.rules.isReferredTo(id, in: reader) ? members(of: id, reader) : []
            let own = rules[id] ?? []
            let spec = SecurityGroupSpec(
                id: id, name: names[id] ?? "", rules: own.map(\.spec), members: members,
                addressGroups: try service.addressGroups(of: own, in: reader))
            result[id.cast()] = .securityGroup(spec)
        }
        return result
    }

    private func members(of group: SecurityGroupID, _ reader: any SQLReader) throws -> [IPAddress] {
        let version = try service.groups.membersVersion(of: group, in: reader) ?? 0
        if let known = memory.members(of: group, version: version) { return known }
        let members = try readMembers(of: group, reader)
        memory.keep(members, of: group, version: version)
        return members
    }

    private func readMembers(of group: SecurityGroupID, _ reader: any SQLReader) throws -> [IPAddress] {
        let paired = try service.members.pairs(in: group, reader).compactMap { pair -> IPAddress? in
            // Whole ranges are not members: an allowed pair of 0.0.0.0/0 must not open a group to everybody.
            guard let prefix = IPPrefix(pair.address), prefix.length == prefix.family.bitCount else { return nil }
            return prefix.first
        }
        return Set(try service.members.addresses(in: group, reader) + paired).sorted()
    }
}

/// The members of groups that were told last. Each node with a member of a group is told the same list; it is read once
/// for all of them. Each list is kept under the version it was read by, so none can be out of date.
///
/// One lock; nothing is awaited while it is held.
final class GroupMembers: Sendable {
    private static let limit = 64
    private let lists = Mutex<[SecurityGroupID: (version: Int64, members: [IPAddress])]>([:])

    func members(of group: SecurityGroupID, version: Int64) -> [IPAddress]? {
        lists.withLock { $0[group].flatMap { $0.version == version ? $0.members : nil } }
    }

    func keep(_ members: [IPAddress], of group: SecurityGroupID, version: Int64) {
        lists.withLock { lists in
            if lists.count >= Self.limit, lists[group] == nil { lists.removeAll() }
            lists[group] = (version, members)
        }
    }
}
