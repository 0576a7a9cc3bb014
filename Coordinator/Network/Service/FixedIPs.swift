import CoordinatorPlatform
import ProtocolModel

/// One item of a request's `fixed_ips`.
package struct FixedIPRequest: Sendable, Hashable {
    package var subnet: SubnetID?
    package var address: IPAddress?

    package init(subnet: SubnetID? = nil, address: IPAddress? = nil) {
        self.subnet = subnet
        self.address = address
    }
}

extension NetworkService {
    private var allocator: AddressAllocator { AddressAllocator() }

    /// How many addresses each subnet's pools have, and how many ports have one.
    func availability(
        in network: NetworkID, in reader: any SQLReader
    ) throws -> [(subnet: SubnetRecord, total: UInt128, used: UInt128)] {
        try subnets.subnets(of: network, in: reader).map { subnet in
            let used = UInt128(try addresses.count(in: subnet.id, in: reader))
            return (subnet, subnet.pools.reduce(0) { $0 + $1.count }, used)
        }
    }

    /// A port's addresses, in their order.
    package func fixedAddresses(of port: PortID, in reader: any SQLReader) throws -> [IPAddress] {
        try addresses.fixedIPs(of: [port], in: reader)[port]?.map(\.address) ?? []
    }

    /// Gives a new port its addresses.
    /// - Parameter request: `nil` for whatever the network's subnets give; an empty list for none at all.
    func allocate(
        _ request: [FixedIPRequest]?, for port: PortRecord, in transaction: any SQLTransaction
    ) throws -> [PortSpec.FixedIP] {
        let all = try subnets.subnets(of: port.network, in: transaction)
        guard let request else {
            return try automatic(all, port, transaction) + autoAddresses(all, excluding: [], port, transaction)
        }
        guard !request.isEmpty else { return [] }
        try requireFew(request, port)
        let given = try allocate(request, among: all, port, transaction)
        return try given + autoAddresses(all, excluding: Set(given.map(\.subnet)), port, transaction)
    }

    /// One IPv4 and one IPv6 address, where there are subnets that hand them out.
    private func automatic(
        _ all: [SubnetRecord], _ port: PortRecord, _ transaction: any SQLTransaction
    ) throws -> [PortSpec.FixedIP] {
        try IPAddress.Family.allCases.compactMap { family in
            let candidates = all.filter { $0.prefix.family == family && !$0.isAutoAddressed }
            for subnet in candidates {
                if let taken = try allocator.takeAny(of: subnet, for: port.id, in: transaction) { return taken }
            }
            guard candidates.isEmpty else { throw AddressRefusal.noneLeft(port.network) }
            return nil
        }
    }

    /// Takes what the request names: an address, or any of a subnet.
    func allocate(
        _ request: [FixedIPRequest], among all: [SubnetRecord], _ port: PortRecord, _ transaction: any SQLTransaction
    ) throws -> [PortSpec.FixedIP] {
        // Named addresses first, or "any" could take one of them.
        let ordered = request.enumerated().sorted {
            ($0.element.address == nil ? 1 : 0, $0.offset) < ($1.element.address == nil ? 1 : 0, $1.offset)
        }
        var result: [(offset: Int, taken: PortSpec.FixedIP)] = []
        for (offset, item) in ordered {
            let subnet = try subnet(for: item, among: all, port, transaction)
            if let address = item.address {
                if subnet.isAutoAddressed, !port.isRouterInterface, address != subnet.autoAddress(for: port.mac) {
                    throw AddressRefusal.automatic(address, subnet.id)
                }
                result.append((offset, try allocator.take(address, of: subnet, for: port.id, in: transaction)))
            } else if !subnet.isAutoAddressed {
                guard let taken = try allocator.takeAny(of: subnet, for: port.id, in: transaction) else {
                    throw AddressRefusal.noneLeft(port.network)
                }
                result.append((offset, taken))
            }
        }
        return result.sorted { $0.offset < $1.offset }.map(\.taken)
    }

    /// The addresses that the port makes itself in the network's automatic subnets.
    func autoAddresses(
        _ all: [SubnetRecord], excluding: Set<SubnetID>, _ port: PortRecord, _ transaction: any SQLTransaction
    ) throws -> [PortSpec.FixedIP] {
        try all.filter { $0.isAutoAddressed && !excluding.contains($0.id) }.compactMap { subnet in
            guard let address = subnet.autoAddress(for: port.mac) else { return nil }
            return try allocator.take(address, of: subnet, for: port.id, in: transaction)
        }
    }

    private func subnet(
        for item: FixedIPRequest, among all: [SubnetRecord], _ port: PortRecord, _ reader: any SQLReader
    ) throws -> SubnetRecord {
        guard !all.isEmpty else { throw AddressRefusal.noSubnet }
        if let wanted = item.subnet {
            guard let subnet = all.first(where: { $0.id == wanted }) else {
                let isKnown = try subnets.table.find(wanted, in: reader) != nil
                throw isKnown
                    ? AddressRefusal.foreignSubnet(wanted, port.network) : AddressRefusal.unknownSubnet(wanted)
            }
            if let address = item.address, !subnet.admits(address) { throw AddressRefusal.notInSubnet(address) }
            return subnet
        }
        guard let address = item.address else { throw AddressRefusal.nothingNamed }
        guard let subnet = all.first(where: { $0.admits(address) }) else { throw AddressRefusal.notInNetwork(address) }
        return subnet
    }

    /// Neutron's `max_fixed_ips_per_port`, which holds for all but the network's own devices.
    private static let addressLimit = 5

    private func requireFew(_ request: [FixedIPRequest], _ port: PortRecord) throws {
        guard request.count > Self.addressLimit, !port.deviceOwner.hasPrefix("network:") else { return }
        throw APIError.invalidInput("Exceeded maximum amount of fixed ips per port")
    }

    /// Replaces a port's addresses: what is named again stays as it is.
    func reallocate(
        _ request: [FixedIPRequest], for port: PortRecord, in transaction: any SQLTransaction
    ) throws -> [PortSpec.FixedIP] {
        try requireFew(request, port)
        let all = try subnets.subnets(of: port.network, in: transaction)
        let (kept, wanted, gone) = FixedIPChange.plan(request, of: port.fixedIPs)
        for old in gone { try addresses.giveBack(old.address, of: port.id, in: transaction) }
        let added = try allocate(wanted, among: all, port, transaction)
        let handled = Set((kept + added).map(\.subnet))
        let automatic =
            request.isEmpty || port.isRouterInterface
            ? [] : try autoAddresses(all, excluding: handled, port, transaction)
        return kept + added + automatic
    }

    /// Makes the network's DHCP service port, once a port of the network is bound somewhere, and gives it an address in
    /// each subnet with DHCP.
    /// - Returns: Whether anything changed.
    func ensureServicePort(of network: NetworkRecord, at now: Int64, in transaction: any SQLTransaction) throws -> Bool
    {
        let all = try subnets.subnets(of: network.id, in: transaction)
        let served = all.filter(\.isDHCPEnabled)
        let existing = try ports.servicePort(of: network.id, in: transaction)
        let missing = served.filter { subnet in !(existing?.fixedIPs.contains { $0.subnet == subnet.id } ?? false) }
        let superfluous = existing?.fixedIPs.filter { ip in !served.contains { $0.id == ip.subnet } } ?? []
        if let existing {
            for ip in superfluous { try addresses.giveBack(ip.address, of: existing.id, in: transaction) }
        }
        guard !missing.isEmpty else { return !superfluous.isEmpty }
        let port = try existing ?? insertServicePort(network, at: now, in: transaction)
        for subnet in missing {
            if subnet.isAutoAddressed {
                _ = try autoAddresses([subnet], excluding: [], port, transaction)
            } else {
                // A full subnet goes without: its guests keep what they have, new ones cannot come anyway.
                _ = try allocator.takeAny(of: subnet, for: port.id, in: transaction)
            }
        }
        return true
    }

    private func insertServicePort(
        _ network: NetworkRecord, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PortRecord {
        var port = PortRecord(
            id: newID(), network: network.id, project: network.project, standard: Standard(createdAt: now),
            mac: newMAC())
        port.deviceOwner = PortRecord.dhcpOwner
        port.deviceID = "dhcp-\(network.id)"
        port.isService = true
        port.isSecurityEnabled = false
        port.status = .active
        try insertWithFreeMAC(&port, isMACGiven: false, in: transaction)
        return port
    }

    /// Inserts the port; a MAC address that was not asked for is drawn anew while it is taken.
    func insertWithFreeMAC(_ port: inout PortRecord, isMACGiven: Bool, in transaction: any SQLTransaction) throws {
        for _ in 0..<16 {
            if try ports.insert(port, in: transaction) { return }
            if isMACGiven { throw AddressRefusal.macInUse(port.mac, port.network) }
            port.mac = newMAC()
        }
        throw AddressRefusal.macInUse(port.mac, port.network)
    }
}

extension SubnetRecord {
    /// Whether a port may have the address: in the subnet, and neither its network nor its broadcast address.
    func admits(_ address: IPAddress) -> Bool {
        guard prefix.contains(address) else { return false }
        switch prefix.family {
        case .ipv4: return prefix.length >= 31 || (address != prefix.first && address != prefix.last)
        case .ipv6: return prefix.length == 128 || address != prefix.first
        }
    }
}
