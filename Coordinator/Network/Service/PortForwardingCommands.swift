import CoordinatorPlatform
import ProtocolModel

/// What a call says of a port forwarding; `nil` where it says nothing.
package struct PortForwardingDraft: Sendable {
    package var description: String?
    package var protocolName: String?
    package var externalPort: Int?
    package var port: PortID?
    package var address: IPAddress?
    package var internalPort: Int?

    package init() {}
}

/// Port forwardings of floating IPs that stand for no port.
extension NetworkService {
    /// What a router is told of one address is bounded, and so is what a new one is compared with.
    private static let forwardingsPerAddress = 256

    func createForwarding(
        _ draft: PortForwardingDraft, of id: FloatingIPID, viewer: Viewer, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> PortForwardingID {
        var record = PortForwardingRecord.blank
        record.id = newID()
        record.floatingIP = id
        guard try forwardings.ofFloatingIPs([id], in: transaction).count < Self.forwardingsPerAddress else {
            throw APIError.conflict(
                "Quota exceeded for resources: ['port_forwarding'].", type: "OverQuota")
        }
        try write(draft, to: &record, viewer: viewer, at: now, in: transaction)
        try forwardings.table.insert(record, in: transaction)
        try forwardingsChanged(of: id, at: now, in: transaction)
        return record.id
    }

    func updateForwarding(
        _ id: PortForwardingID, _ draft: PortForwardingDraft, of floatingIP: FloatingIPID, viewer: Viewer,
        at now: Int64, in transaction: any SQLTransaction
    ) throws {
        var record = try forwarding(id, of: floatingIP, in: transaction)
        try write(draft, to: &record, viewer: viewer, at: now, in: transaction)
        try forwardings.table.update(record, in: transaction)
        try forwardingsChanged(of: floatingIP, at: now, in: transaction)
    }

    func deleteForwarding(
        _ id: PortForwardingID, of floatingIP: FloatingIPID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let record = try forwarding(id, of: floatingIP, in: transaction)
        if let router = try dropForwarding(record, at: now, in: transaction) {
            try settle(router, at: now, in: transaction)
        }
    }

    func forwarding(
        _ id: PortForwardingID, of floatingIP: FloatingIPID, in reader: any SQLReader
    ) throws -> PortForwardingRecord {
        guard let record = try forwardings.table.find(id, in: reader), record.floatingIP == floatingIP else {
            throw APIError.forwardingNotFound(id.text)
        }
        return record
    }

    /// - Returns: The router that is to hear of it. The floating IP is on none any more without its last forwarding.
    func dropForwarding(
        _ record: PortForwardingRecord, at now: Int64, in transaction: any SQLTransaction
    ) throws -> RouterID? {
        try forwardings.table.delete(record.id, in: transaction)
        guard var item = try floatingIPs.table.find(record.floatingIP, in: transaction) else { return nil }
        let router = item.router
        if item.port == nil, try forwardings.ofFloatingIPs([item.id], in: transaction).isEmpty {
            item.router = nil
            item.status = .down
            try floatingIPs.table.update(item, at: now, in: transaction)
        }
        return router
    }

    private func write(
        _ draft: PortForwardingDraft, to record: inout PortForwardingRecord, viewer: Viewer, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard var item = try floatingIPs.table.find(record.floatingIP, in: transaction) else {
            throw APIError.floatingIPNotFound(record.floatingIP.text)
        }
        let isMoved = draft.port != nil && draft.port != record.port
        record.description = draft.description ?? record.description
        record.protocolName = draft.protocolName ?? record.protocolName
        record.externalPort = draft.externalPort ?? record.externalPort
        record.internalPort = draft.internalPort ?? record.internalPort
        record.port = draft.port ?? record.port
        let port = try portListing.record(record.port.text, viewer: viewer, in: transaction)
        guard viewer.isAdmin || port.project == item.project else { throw APIError.portNotFound(port.id.text) }
        let fixedIPs = try addresses.fixedIPs(of: [port.id], in: transaction)[port.id] ?? []
        let inside = try Self.target(fixedIPs, draft.address ?? (isMoved ? nil : record.knownAddress), of: port.id)
        record.address = inside.address
        try checkCollisions(record, in: transaction)
        if let other = try floatingIPs.ofPort(port.id, in: transaction).first {
            throw APIError.conflict(
                "Cannot create port forwarding to floating IP \(other.address) (\(other.id)) with port \(port.id) using "
                    + "fixed IP \(record.address), as that port already has a binding floating IP.",
                type: "PortHasBindingFloatingIP")
        }
        if item.port != nil { throw APIError.alreadyAssociated(item, port.id, record.address) }
        let router = try forwardingRouter(item, inside, port.id, in: transaction)
        guard item.router != router else { return }
        item.router = router
        try floatingIPs.table.update(item, at: now, in: transaction)
    }

    /// The address of the port that is meant. Pure.
    static func target(
        _ fixedIPs: [PortSpec.FixedIP], _ wanted: IPAddress?, of port: PortID
    ) throws -> PortSpec.FixedIP {
        let candidates = fixedIPs.filter { $0.address.family == .ipv4 }
        guard let first = candidates.first else {
            throw APIError.bad(
                "port_forwarding", "Requested internal port \(port) must allocate an IPv4 address at least.")
        }
        guard let wanted else { return first }
        guard let found = candidates.first(where: { $0.address == wanted }) else {
            let shown = candidates.map { "{'subnet_id': '\($0.subnet)', 'ip_address': '\($0.address)'}" }
            throw APIError.bad(
                "port_forwarding",
                "Requested internal IP address \(wanted) is not suitable for internal neutron port \(port), as its "
                    + "fixed_ips are [\(shown.joined(separator: ", "))]")
        }
        return found
    }

    private func forwardingRouter(
        _ item: FloatingIPRecord, _ inside: PortSpec.FixedIP, _ port: PortID, in reader: any SQLReader
    ) throws -> RouterID {
        guard let router = try router(between: inside.subnet, and: item.network, in: reader) else {
            throw APIError.bad(
                "port_forwarding",
                "External network \(item.network) is not reachable from subnet \(inside.subnet). Cannot set Port "
                    + "forwarding for port \(port) with Floating IP \(item.id)")
        }
        if let present = item.router, present != router {
            throw APIError.bad(
                "port_forwarding",
                "The Floating IP \(item.id) had been set on router \(present), the internal Neutron port \(port) can not "
                    + "reach it")
        }
        return router
    }

    private func checkCollisions(_ record: PortForwardingRecord, in reader: any SQLReader) throws {
        func collide(_ key: String, _ port: Int) -> APIError {
            .bad(
                "port_forwarding",
                "There is a port collision with the \(key). The following ranges collide: \(port):\(port) and "
                    + "\(port):\(port)")
        }
        for other in try forwardings.ofFloatingIPs([record.floatingIP], in: reader)
        where other.id != record.id && other.protocolName == record.protocolName {
            if other.externalPort == record.externalPort { throw collide("external_port_range", other.externalPort) }
        }
        for other in try forwardings.ofPort(record.port, in: reader)
        where other.id != record.id && other.protocolName == record.protocolName && other.address == record.address {
            if other.internalPort == record.internalPort { throw collide("internal_port_range", other.internalPort) }
        }
    }

    private func forwardingsChanged(
        of id: FloatingIPID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let router = try floatingIPs.table.find(id, in: transaction)?.router else { return }
        try settle(router, at: now, in: transaction)
    }
}

extension PortForwardingRecord {
    /// `nil` before it has one.
    fileprivate var knownAddress: IPAddress? { port == .blank || address == .blank ? nil : address }
}

extension APIError {
    static func forwardingNotFound(_ id: String) -> Self {
        .notFound("Port Forwarding \(id) could not be found.", type: "PortForwardingNotFound")
    }
}
