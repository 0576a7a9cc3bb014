import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a call changes of a floating IP; `nil` where it says nothing.
package struct FloatingIPChange: Sendable {
    package var description: String?
    /// `.some(nil)`: from now on it stands for nothing.
    package var port: PortID??
    package var fixedAddress: IPAddress?

    package init() {}
}

/// What a create call says of a floating IP.
package struct FloatingIPDraft: Sendable {
    package var project: ProjectID
    package var network: NetworkID
    package var change = FloatingIPChange()
    package var address: IPAddress?
    package var subnet: SubnetID?

    package init(project: ProjectID, network: NetworkID) {
        self.project = project
        self.network = network
    }
}

extension NetworkService {
    package func createFloatingIP(
        _ draft: FloatingIPDraft, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> FloatingIPID {
        let network = try networkListing.record(draft.network.text, viewer: viewer, in: transaction)
        guard network.isExternal else {
            throw APIError.bad("floatingip", "Network \(network.id) is not a valid external network")
        }
        guard try subnets.subnets(of: network.id, in: transaction).contains(where: { $0.prefix.family == .ipv4 }) else {
            throw APIError.bad("floatingip", "Network \(network.id) does not contain any IPv4 subnet")
        }
        try quotas.claim("floatingip", for: draft.project, in: transaction)
        let id: FloatingIPID = newID()
        let (keeper, address) = try keeper(of: id, draft, at: now, in: transaction)
        var item = FloatingIPRecord(
            id: id, project: draft.project,
            standard: Standard(description: draft.change.description ?? "", createdAt: now), network: network.id,
            keeper: keeper, address: address)
        try associate(&item, draft.change, viewer: viewer, in: transaction)
        try floatingIPs.table.insert(item, in: transaction)
        if let router = item.router { try settle(router, at: now, in: transaction) }
        return id
    }

    /// Makes the port that keeps the address on the external network.
    private func keeper(
        of id: FloatingIPID, _ draft: FloatingIPDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws -> (PortID, IPAddress) {
        var port = PortRecord(
            id: newID(), network: draft.network, project: PortRecord.noProject, standard: Standard(createdAt: now),
            mac: newMAC())
        port.deviceID = id.text
        port.deviceOwner = PortRecord.floatingIPOwner
        port.isSecurityEnabled = false
        port.status = .notApplicable
        let isNamed = draft.subnet != nil || draft.address != nil
        let wanted = isNamed ? [FixedIPRequest(subnet: draft.subnet, address: draft.address)] : nil
        try insert(&port, isMACGiven: false, fixedIPs: wanted, in: transaction)
        guard let address = port.fixedIPs.first(where: { $0.address.family == .ipv4 })?.address else {
            throw APIError.noExternalAddress(draft.network)
        }
        return (port.id, address)
    }

    package func updateFloatingIP(
        _ id: FloatingIPID, _ change: FloatingIPChange, viewer: Viewer, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard let old = try floatingIPs.table.find(id, in: transaction) else {
            throw APIError.floatingIPNotFound(id.text)
        }
        var item = old
        item.standard.description = change.description ?? item.standard.description
        try associate(&item, change, viewer: viewer, in: transaction)
        let isMoved = (item.port, item.fixedAddress, item.router) != (old.port, old.fixedAddress, old.router)
        if isMoved { item.status = .down }
        try floatingIPs.table.update(item, at: now, in: transaction)
        guard isMoved else { return }
        for router in Set([old.router, item.router].compactMap { $0 }).sorted() {
            try settle(router, at: now, in: transaction)
        }
        for port in Set([old.port, item.port].compactMap { $0 }) { try outsideChanged(of: port, in: transaction) }
    }

    /// What the floating IP stands for after the call.
    private func associate(
        _ item: inout FloatingIPRecord, _ change: FloatingIPChange, viewer: Viewer, in reader: any SQLReader
    ) throws {
        let wanted = change.port ?? nil
        if change.fixedAddress != nil, wanted == nil {
            throw APIError.bad("floatingip", "fixed_ip_address cannot be specified without a port_id")
        }
        guard change.port != nil else { return }
        if wanted != nil, try !forwardings.ofFloatingIPs([item.id], in: reader).isEmpty {
            throw APIError.conflict(
                "Floating IP \(item.id) in use by Port Forwarding resources.", type: "FipInUseByPortForwarding")
        }
        guard let wanted else {
            item.port = nil
            item.fixedAddress = nil
            if try forwardings.ofFloatingIPs([item.id], in: reader).isEmpty { item.router = nil }
            return
        }
        let port = try portListing.record(wanted.text, viewer: viewer, in: reader)
        guard port.project == item.project || viewer.isAdmin else {
            throw APIError.bad(
                "floatingip",
                "Cannot process floating IP association with Port \(wanted), since that port is owned by a different project"
            )
        }
        guard try forwardings.ofPort(wanted, in: reader).isEmpty else {
            throw APIError.conflict(
                "Cannot associate floating IP \(item.id) to port \(wanted) because it already has a Port Forwarding binding.",
                type: "PortHasPortForwarding")
        }
        guard !port.isService else {
            throw APIError.bad("floatingip", "Port \(wanted) is unable to be assigned a floating IP")
        }
        let fixedIPs = try addresses.fixedIPs(of: [wanted], in: reader)[wanted] ?? []
        let fixed = try Self.inside(fixedIPs, change.fixedAddress, of: wanted)
        guard let router = try router(between: fixed.subnet, and: item.network, in: reader) else {
            throw APIError.notReachable(item.network, from: fixed.subnet, wanted)
        }
        let isSame = item.port == wanted && item.fixedAddress == fixed.address
        if !isSame, try floatingIPs.isTaken(fixed.address, of: wanted, on: item.network, in: reader) {
            throw APIError.alreadyAssociated(item, wanted, fixed.address)
        }
        item.port = wanted
        item.fixedAddress = fixed.address
        item.router = router
    }

    /// The address of the port that is meant. Pure.
    static func inside(
        _ fixedIPs: [PortSpec.FixedIP], _ wanted: IPAddress?, of port: PortID
    ) throws -> PortSpec.FixedIP {
        if let wanted {
            guard wanted.family == .ipv4 else {
                throw APIError.bad(
                    "floatingip",
                    "Cannot process floating IP association with \(wanted), since that is not an IPv4 address")
            }
            guard let found = fixedIPs.first(where: { $0.address == wanted }) else {
                throw APIError.bad("floatingip", "Port \(port) does not have fixed ip \(wanted)")
            }
            return found
        }
        let candidates = fixedIPs.filter { $0.address.family == .ipv4 }
        guard let first = candidates.first else {
            throw APIError.bad(
                "floatingip", "Cannot add floating IP to port \(port) that has no fixed IPv4 addresses")
        }
        guard candidates.count == 1 else {
            throw APIError.bad(
                "floatingip",
                "Port \(port) has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning a "
                    + "floating IP")
        }
        return first
    }

    /// The router that translates: the subnet's gateway, if that is one of them.
    func router(between subnet: SubnetID, and external: NetworkID, in reader: any SQLReader) throws -> RouterID? {
        let found = try routers.routers(between: subnet, and: external, in: reader)
        let gateway = try subnets.table.find(subnet, in: reader)?.gateway
        return (found.first { $0.address == gateway } ?? found.first)?.router
    }

    package func deleteFloatingIP(_ id: FloatingIPID, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let item = try floatingIPs.table.find(id, in: transaction) else {
            throw APIError.floatingIPNotFound(id.text)
        }
        guard try forwardings.ofFloatingIPs([id], in: transaction).isEmpty else {
            throw APIError.conflict(
                "Floating IP \(id) in use by Port Forwarding resources.", type: "FipInUseByPortForwarding")
        }
        try floatingIPs.table.remove(id, in: transaction)
        try ports.remove(item.keeper, in: transaction)
        if let router = item.router { try settle(router, at: now, in: transaction) }
        if let port = item.port { try outsideChanged(of: port, in: transaction) }
    }

    /// A port that goes leaves its floating IPs behind, standing for nothing, and its port forwardings go with it.
    func releaseFloatingIPs(of port: PortID, at now: Int64, in transaction: any SQLTransaction) throws {
        var touched: Set<RouterID> = []
        for item in try floatingIPs.ofPort(port, in: transaction) {
            if let router = item.router { touched.insert(router) }
            try releaseFloatingIP(item, at: now, in: transaction)
        }
        for forwarding in try forwardings.ofPort(port, in: transaction) {
            if let router = try dropForwarding(forwarding, at: now, in: transaction) { touched.insert(router) }
        }
        for router in touched.sorted() { try settle(router, at: now, in: transaction) }
    }

    /// From now on it stands for nothing.
    func releaseFloatingIP(_ item: FloatingIPRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        for forwarding in try forwardings.ofFloatingIPs([item.id], in: transaction) {
            try forwardings.table.delete(forwarding.id, in: transaction)
        }
        var item = item
        item.port = nil
        item.fixedAddress = nil
        item.router = nil
        item.status = .down
        try floatingIPs.table.update(item, at: now, in: transaction)
    }

    /// Deletes a floating IP that goes with its project, with its port forwardings.
    func dropFloatingIP(_ id: FloatingIPID, at now: Int64, in transaction: any SQLTransaction) throws {
        for forwarding in try forwardings.ofFloatingIPs([id], in: transaction) {
            try forwardings.table.delete(forwarding.id, in: transaction)
        }
        try deleteFloatingIP(id, at: now, in: transaction)
    }

    /// Deletes what stands for nothing on an external network that goes, or is one no more.
    func dropIdleFloatingIPs(of network: NetworkID, in transaction: any SQLTransaction) throws {
        for item in try floatingIPs.idle(of: network, in: transaction) {
            try floatingIPs.table.remove(item.id, in: transaction)
            try ports.remove(item.keeper, in: transaction)
        }
    }

    /// The port's server shows its outside addresses in its metadata.
    private func outsideChanged(of port: PortID, in transaction: any SQLTransaction) throws {
        guard let record = try ports.find(port, in: transaction) else { return }
        try serverChanged(of: record, in: transaction)
    }

    /// Addresses that floating IPs and forwarded ports lead to stay the port's: somebody else could get them next.
    func checkKeepsInside(_ port: PortRecord, in reader: any SQLReader) throws {
        let inside =
            try floatingIPs.ofPort(port.id, in: reader).compactMap(\.fixedAddress)
            + forwardings.ofPort(port.id, in: reader).map(\.address)
        guard inside.allSatisfy({ address in port.fixedIPs.contains { $0.address == address } }) else {
            throw APIError.bad(
                "port",
                "Cannot update the fixed_ips of the port \(port.id), because its original fixed_ip has been associated to a "
                    + "floating ip")
        }
    }
}

extension NetworkService {
    /// Whoever deletes a port takes no floating IP off it that is not theirs.
    func checkFloatingIPs(of port: PortID, viewer: Viewer, in reader: any SQLReader) throws {
        guard !viewer.isAdmin else { return }
        let isForeign = try floatingIPs.ofPort(port, in: reader).contains { $0.project != viewer.project }
        if isForeign { throw APIError.floatingIPAssociated(port) }
    }
}
