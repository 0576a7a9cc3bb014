import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a call changes of a port; `nil` where it says nothing.
package struct PortChange: Sendable {
    package var name: String?
    package var description: String?
    package var mac: MACAddress?
    package var isAdminUp: Bool?
    package var deviceID: String?
    package var deviceOwner: String?
    package var isSecurityEnabled: Bool?
    package var pairs: [AddressPair]?
    package var vnicType: String?
    package var host: String?
    /// `binding:profile` was given.
    package var hasProfile = false
    package var fixedIPs: [FixedIPRequest]?
    package var groups: [SecurityGroupID]?
    /// `.some(nil)` for none.
    package var qosPolicy: QoSPolicyID??
    package var dhcpOptions: [DHCPOptionRequest]?

    package init() {}
}

/// What a create call says of a port; `nil` where it says nothing.
@dynamicMemberLookup
package struct PortDraft: Sendable {
    package var project: ProjectID
    package var network: NetworkID
    package var change = PortChange()

    package init(project: ProjectID, network: NetworkID) {
        self.project = project
        self.network = network
    }

    package subscript<T>(dynamicMember member: WritableKeyPath<PortChange, T>) -> T {
        get { change[keyPath: member] }
        set { change[keyPath: member] = newValue }
    }

    /// Asks for these addresses, each in whatever subnet has it.
    package mutating func setAddresses(_ addresses: [IPAddress]) {
        change.fixedIPs = addresses.map { FixedIPRequest(subnet: nil, address: $0) }
    }
}

extension NetworkService {
    package func createPort(
        _ draft: PortDraft, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PortID {
        let network = try networkListing.record(draft.network.text, viewer: viewer, in: transaction)
        try quotas.claim("port", for: draft.project, in: transaction)
        var port = PortRecord(
            id: newID(), network: network.id, project: draft.project, standard: Standard(createdAt: now),
            mac: draft.mac ?? newMAC())
        port.isSecurityEnabled =
            network.isPortSecurityEnabled && !(draft.deviceOwner?.hasPrefix("network:") ?? false)
        try apply(draft.change, to: &port)
        try checkDevice(draft.change, of: port, in: transaction)
        port.host = draft.host ?? ""
        port.qosPolicy = try checkedPolicy(draft.qosPolicy, replacing: nil, viewer: viewer, in: transaction)
        try checkQoS(of: port, in: transaction)
        port.groups = try groups(draft.groups, for: port, now, transaction)
        try insert(&port, isMACGiven: draft.mac != nil, fixedIPs: draft.fixedIPs, in: transaction)
        return port.id
    }

    /// What changes without regard to where the port is.
    private func apply(_ change: PortChange, to port: inout PortRecord) throws {
        port.standard.name = change.name ?? port.standard.name
        port.standard.description = change.description ?? port.standard.description
        port.isAdminUp = change.isAdminUp ?? port.isAdminUp
        port.deviceID = change.deviceID ?? port.deviceID
        port.deviceOwner = change.deviceOwner ?? port.deviceOwner
        port.vnicType = change.vnicType ?? port.vnicType
        port.isSecurityEnabled = change.isSecurityEnabled ?? port.isSecurityEnabled
        port.dhcpOptions = try DHCPOptionChange.apply(change.dhcpOptions ?? [], to: port.dhcpOptions)
        port.pairs = try PortChecks.pairs(change.pairs ?? port.pairs, of: port)
    }

    /// Whose interface a port is, compute alone decides (``PortRecord/server``). Naming another project's server is
    /// refused all the same, as Neutron refuses another's router, so that nobody is misled by it.
    private func checkDevice(_ change: PortChange, of port: PortRecord, in reader: any SQLReader) throws {
        guard let device = change.deviceID, let server = ServerID(device),
            try ports.isServer(server, ofOtherThan: port.project, in: reader)
        else { return }
        throw APIError.deviceNotOwned(device)
    }

    /// Inserts the port with its addresses and groups (`port.groups`), unbound.
    func insert(
        _ port: inout PortRecord, isMACGiven: Bool, fixedIPs: [FixedIPRequest]?, in transaction: any SQLTransaction
    ) throws {
        try insertWithFreeMAC(&port, isMACGiven: isMACGiven, in: transaction)
        port.fixedIPs = try allocate(fixedIPs, for: port, in: transaction)
        try members.add(port.id, to: port.groups, in: transaction)
        if !port.fixedIPs.isEmpty { try membersChanged(port.groups, in: transaction) }
    }

    /// The groups asked for, checked; the project's default group where nothing is said.
    private func groups(
        _ wanted: [SecurityGroupID]?, for port: PortRecord, _ now: Int64, _ transaction: any SQLTransaction
    ) throws -> [SecurityGroupID] {
        guard port.isSecurityEnabled else {
            guard (wanted ?? []).isEmpty else { throw PortChecks.securityRequired }
            return []
        }
        guard let wanted else { return [try defaultGroup(of: port.project, at: now, in: transaction).id] }
        return try checkedGroups(wanted, project: port.project, in: transaction)
    }

    private func checkedGroups(
        _ wanted: [SecurityGroupID], project: ProjectID, in reader: any SQLReader
    ) throws -> [SecurityGroupID] {
        let found = try groups.find(wanted, in: reader)
        let shared = try rbac.shared(found.filter { $0.project != project }.map(\.id), with: project, in: reader)
        let known = Set(found.filter { $0.project == project || shared.contains($0.id) }.map(\.id))
        for id in wanted where !known.contains(id) { throw APIError.groupNotFound(id.text) }
        return Array(Set(wanted)).sorted()
    }

    package func updatePort(
        _ id: PortID, _ change: PortChange, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let old = try ports.find(id, in: transaction) else { throw APIError.portNotFound(id.text) }
        var port = old
        try apply(change, to: &port)
        let link = try routers.link(of: id, in: transaction)
        if link != nil || old.deviceOwner == PortRecord.floatingIPOwner,
            (port.deviceID, port.deviceOwner) != (old.deviceID, old.deviceOwner)
        {
            throw APIError.portInUse(old)
        }
        try checkDevice(change, of: port, in: transaction)
        port.qosPolicy = try checkedPolicy(
            change.qosPolicy, replacing: old.qosPolicy, viewer: viewer, in: transaction)
        try checkQoS(of: port, in: transaction)
        if port.node == nil { port.host = change.host ?? port.host }
        if let mac = change.mac, mac != port.mac {
            guard port.node == nil else {
                throw APIError.conflict(
                    "Unable to complete operation on port \(id), port is already bound, port type: bridge, "
                        + "old_mac \(port.mac), new_mac \(mac).", type: "PortBound")
            }
            if try ports.isMACTaken(mac, on: port.network, in: transaction) {
                throw AddressRefusal.macInUse(mac, port.network)
            }
            port.mac = mac
        }
        if !port.isAdminUp { port.status = .down }
        try changeGroups(of: &port, to: change.groups, in: transaction)
        if let wanted = change.fixedIPs ?? (port.mac == old.mac ? nil : automaticAgain(port)) {
            port.fixedIPs = try reallocate(wanted, for: port, in: transaction)
            try checkKeepsInside(port, in: transaction)
            if let link, link.kind == .interface {
                try checkInterface(port, was: old, of: link.router, viewer: viewer, in: transaction)
            }
        }
        try ports.table.update(port, at: now, in: transaction)
        try propagate(from: old, to: port, in: transaction)
        if let link { try settle(link.router, at: now, in: transaction) }
    }

    /// With a new MAC address the automatic addresses change, too: asks for all others again.
    private func automaticAgain(_ port: PortRecord) -> [FixedIPRequest]? {
        let kept = port.fixedIPs.filter { $0.address.family == .ipv4 }
        return kept.count == port.fixedIPs.count
            ? nil : kept.map { FixedIPRequest(subnet: $0.subnet, address: $0.address) }
    }

    private func changeGroups(
        of port: inout PortRecord, to wanted: [SecurityGroupID]?, in transaction: any SQLTransaction
    ) throws {
        guard let wanted else {
            if !port.isSecurityEnabled, !port.groups.isEmpty {
                throw APIError.conflict(
                    "Port has security group associated. Cannot disable port security or IP address until security "
                        + "group is removed.", type: "PortSecurityPortHasSecurityGroup")
            }
            return
        }
        guard port.isSecurityEnabled || wanted.isEmpty else { throw PortChecks.securityRequired }
        let checked = try checkedGroups(wanted, project: port.project, in: transaction)
        let gone = port.groups.filter { !checked.contains($0) }
        let come = checked.filter { !port.groups.contains($0) }
        guard !gone.isEmpty || !come.isEmpty else { return }
        try members.remove(port.id, from: gone, in: transaction)
        try members.add(port.id, to: come, in: transaction)
        if let node = port.node {
            try planGroups(come, of: port.id, on: node, in: transaction)
            try unplanGroups(gone, from: node, in: transaction)
        }
        port.groups = checked
        try membersChanged(gone + come, in: transaction)
    }

    /// Tells the nodes what they must know of a change.
    private func propagate(from old: PortRecord, to port: PortRecord, in transaction: any SQLTransaction) throws {
        if port.fixedIPs != old.fixedIPs || port.pairs != old.pairs { try membersChanged(port.groups, in: transaction) }
        guard port.node != nil else { return }
        if port.spec != old.spec || port.qosPolicy != old.qosPolicy { try plan.touch(.port(port.id), in: transaction) }
        guard port.fixedIPs != old.fixedIPs else { return }
        try overlayChanged(port.network, in: transaction)
        try serverChanged(of: port, in: transaction)
    }

    package func deletePort(_ id: PortID, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let port = try ports.find(id, in: transaction) else { throw APIError.portNotFound(id.text) }
        if try isL3Port(port, in: transaction) { throw APIError.servicePortInUse(port) }
        try remove(port, at: now, in: transaction)
        try serverChanged(of: port, in: transaction)
        if port.isService, let network = try networks.find(port.network, in: transaction),
            try !plan.nodes(holding: .network(network.id), in: transaction).isEmpty
        {
            // Guests still need it: it comes again with other addresses.
            _ = try ensureServicePort(of: network, at: now, in: transaction)
            try plan.touch(.network(network.id), in: transaction)
        }
    }

    /// Takes the port off its node and deletes it with its addresses.
    func remove(_ port: PortRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        if let node = port.node { try unplan(port, from: node, at: now, in: transaction) }
        try releaseFloatingIPs(of: port.id, at: now, in: transaction)
        try ports.remove(port.id, in: transaction)
        if !port.fixedIPs.isEmpty { try membersChanged(port.groups, in: transaction) }
    }
}
