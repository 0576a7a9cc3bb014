import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a call changes of a subnet; `nil` where it says nothing.
package struct SubnetChange: Sendable {
    /// `gateway_ip`: left out of a new subnet, it stands for the first address; `null` for none.
    package enum Gateway: Sendable, Hashable {
        case first, none
        case address(IPAddress)
    }

    package var name: String?
    package var description: String?
    package var gateway: Gateway?
    package var isDHCPEnabled: Bool?
    package var dnsServers: [IPAddress]?
    package var hostRoutes: [HostRoute]?
    /// As they were asked for; a new subnet that says nothing gets all that the gateway leaves.
    package var pools: [AddressRange]?

    package init() {}
}

/// What a create call says of a subnet.
@dynamicMemberLookup
package struct SubnetDraft: Sendable {
    package var project: ProjectID
    package var network: NetworkID
    package var prefix: IPPrefix?
    package var family: IPAddress.Family
    package var pool = SubnetPoolChoice.none
    /// Of a prefix from the pool; `nil` for the pool's own standard.
    package var prefixLength: Int?
    package var change = SubnetChange()
    package var addressMode: SubnetSpec.IPv6Mode?
    package var raMode: SubnetSpec.IPv6Mode?

    package init(project: ProjectID, network: NetworkID, prefix: IPPrefix?, family: IPAddress.Family = .ipv4) {
        self.project = project
        self.network = network
        self.prefix = prefix
        self.family = prefix?.family ?? family
    }

    package subscript<T>(dynamicMember member: WritableKeyPath<SubnetChange, T>) -> T {
        get { change[keyPath: member] }
        set { change[keyPath: member] = newValue }
    }
}

extension NetworkService {
    package func createSubnet(
        _ draft: SubnetDraft, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> SubnetID {
        guard let network = try networks.find(draft.network, in: transaction) else {
            throw APIError.networkNotFound(draft.network.text)
        }
        let pool = try pool(for: draft, viewer: viewer, in: transaction)
        let prefix = try pool.map { try allocate(draft, from: $0, in: transaction) } ?? SubnetChecks.prefix(draft)
        try quotas.claim("subnet", for: draft.project, in: transaction)
        var subnet = SubnetRecord(
            id: newID(), network: draft.network, project: draft.project, standard: Standard(createdAt: now),
            prefix: prefix)
        subnet.subnetPool = pool?.id
        subnet.addressMode = draft.addressMode
        subnet.raMode = draft.raMode
        subnet.gateway = SubnetChecks.gateway(.first, in: prefix)
        apply(draft.change, to: &subnet)
        try SubnetChecks.check(subnet, isNew: true)
        if prefix.family == .ipv6, network.mtuBytes < SubnetChecks.leastIPv6MTU {
            throw APIError.mtuTooSmall(network.id)
        }
        let siblings = try subnets.subnets(of: network.id, in: transaction)
        try checkAffinity(of: pool, prefix.family, with: siblings, on: network.id, in: transaction)
        if siblings.contains(where: { $0.prefix.overlaps(subnet.prefix) }) {
            throw APIError.invalidInput(
                "Requested subnet with cidr: \(subnet.prefix) for network: \(network.id) overlaps with another subnet")
        }
        subnet.pools = try SubnetChecks.pools(draft.pools, of: subnet)
        try subnets.insert(subnet, in: transaction)
        if subnet.isAutoAddressed { try addAutoAddresses(of: subnet, in: transaction) }
        try subnetsChanged(of: network, at: now, in: transaction)
        if subnet.isAutoAddressed { try routersChanged(in: network.id, in: transaction) }
        return subnet.id
    }

    private func apply(_ change: SubnetChange, to subnet: inout SubnetRecord) {
        subnet.standard.name = change.name ?? subnet.standard.name
        subnet.standard.description = change.description ?? subnet.standard.description
        subnet.isDHCPEnabled = change.isDHCPEnabled ?? subnet.isDHCPEnabled
        subnet.dnsServers = change.dnsServers ?? subnet.dnsServers
        subnet.hostRoutes = change.hostRoutes ?? subnet.hostRoutes
        if let gateway = change.gateway { subnet.gateway = SubnetChecks.gateway(gateway, in: subnet.prefix) }
    }

    package func updateSubnet(
        _ id: SubnetID, _ change: SubnetChange, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard var subnet = try subnets.find(id, in: transaction),
            let network = try networks.find(subnet.network, in: transaction)
        else { throw APIError.subnetNotFound(id.text) }
        let old = subnet
        apply(change, to: &subnet)
        try SubnetChecks.check(subnet, isNew: subnet.isDHCPEnabled && !old.isDHCPEnabled)
        if let gateway = old.gateway, gateway != subnet.gateway,
            let port = try routers.interface(with: gateway, of: id, in: transaction)
        {
            throw APIError.gatewayAddressInUse(gateway, port)
        }
        if let pools = change.pools {
            subnet.pools = try SubnetChecks.pools(pools, of: subnet)
        } else if change.gateway != nil, let gateway = subnet.gateway,
            let pool = subnet.pools.first(where: { $0.contains(gateway) })
        {
            throw APIError.gatewayInPool(gateway, pool)
        }
        try subnets.table.update(subnet, at: now, in: transaction)
        if change.pools != nil { try subnets.replacePools(of: subnet, in: transaction) }
        try subnetsChanged(of: network, at: now, in: transaction)
        // What else there is to a subnet is told by DHCP.
        guard (subnet.gateway, subnet.dnsServers) != (old.gateway, old.dnsServers) else { return }
        try routersChanged(on: id, in: transaction)
    }

    package func deleteSubnet(_ id: SubnetID, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let subnet = try subnets.find(id, in: transaction),
            let network = try networks.find(subnet.network, in: transaction)
        else { throw APIError.subnetNotFound(id.text) }
        if try !routers.routers(on: id, in: transaction).isEmpty {
            throw APIError.subnetInUse(id, "One or more ports have an IP allocation from this subnet")
        }
        if subnet.isAutoAddressed {
            try removeAutoAddresses(of: subnet, in: transaction)
        } else if try addresses.isUsed(id, in: transaction) {
            throw APIError.subnetInUse(id, "One or more ports have an IP allocation from this subnet")
        }
        try addresses.giveBackAll(in: id, in: transaction)
        try subnets.remove(id, in: transaction)
        if let service = try ports.servicePort(of: network.id, in: transaction), service.fixedIPs.isEmpty {
            try ports.remove(service.id, in: transaction)
        }
        try plan.touch(.network(network.id), in: transaction)
        if subnet.isAutoAddressed { try routersChanged(in: network.id, in: transaction) }
    }

    /// Keeps the service port in step where the network is in use, and tells the nodes.
    private func subnetsChanged(of network: NetworkRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        let isInUse = try !plan.nodes(holding: .network(network.id), in: transaction).isEmpty
        let hasServicePort = try ports.servicePort(of: network.id, in: transaction) != nil
        guard isInUse || hasServicePort else { return }
        _ = try ensureServicePort(of: network, at: now, in: transaction)
        try plan.touch(.network(network.id), in: transaction)
    }

    /// Ports that are there when an automatic subnet is made get their address of it.
    private func addAutoAddresses(of subnet: SubnetRecord, in transaction: any SQLTransaction) throws {
        for port in try ports.ports(of: subnet.network, in: transaction)
        where !port.isService && !port.isRouterInterface {
            _ = try autoAddresses([subnet], excluding: [], port, transaction)
            try addressesChanged(of: port, in: transaction)
        }
    }

    private func removeAutoAddresses(of subnet: SubnetRecord, in transaction: any SQLTransaction) throws {
        let holders = try ports.find(try addresses.ports(in: subnet.id, in: transaction), in: transaction)
        try addresses.giveBackAll(in: subnet.id, in: transaction)
        for port in holders where !port.isService { try addressesChanged(of: port, in: transaction) }
    }

    /// Tells the port's node, its server's spec and the groups' holders.
    func addressesChanged(of port: PortRecord, in transaction: any SQLTransaction) throws {
        if port.node != nil { try plan.touch(.port(port.id), in: transaction) }
        if port.node != nil { try overlayChanged(port.network, in: transaction) }
        try serverChanged(of: port, in: transaction)
        try membersChanged(port.groups, in: transaction)
    }

    /// The port's server carries its addresses in config drive and metadata.
    func serverChanged(of port: PortRecord, in transaction: any SQLTransaction) throws {
        guard port.node != nil, let server = port.server else { return }
        try plan.touch(.server(server), in: transaction)
    }
}
