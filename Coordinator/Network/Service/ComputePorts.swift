import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What the compute slice asks of this one. Refusals are in the compute API's words.
extension NetworkService: NetworkForCompute {
    public func reservePorts(
        _ request: NetworkRequest, server: ServerID, hostname: String, caller: Caller, project: ProjectID,
        at now: Int64, in transaction: any SQLTransaction
    ) throws -> [ServerPort] {
        let wanted: [NetworkRequest.Interface]
        let groupNames: [String]
        switch request {
        case .none: return []
        case .automatic:
            wanted = try automaticInterfaces(caller, project, transaction)
            groupNames = []
        case .interfaces(let interfaces, let names):
            wanted = try interfaces.isEmpty ? automaticInterfaces(caller, project, transaction) : interfaces
            groupNames = names
        }
        let reservation = Reservation(
            server: server, hostname: DNSLabel.make(from: hostname), caller: caller, project: project, now: now,
            groups: wanted.allSatisfy { $0.port != nil }
                ? [] : try computeGroups(groupNames, project: project, at: now, in: transaction))
        for (position, interface) in wanted.enumerated() {
            if interface.port != nil {
                try adopt(interface, position, reservation, transaction)
            } else {
                try makePort(interface, position, reservation, transaction)
            }
        }
        return try ports(of: [server], in: transaction)[server] ?? []
    }

    /// What all interfaces of one server have in common.
    private struct Reservation {
        var server: ServerID
        var hostname: String
        var caller: Caller
        var project: ProjectID
        var now: Int64
        var groups: [SecurityGroupID]
    }

    private func automaticInterfaces(
        _ caller: Caller, _ project: ProjectID, _ reader: any SQLReader
    ) throws -> [NetworkRequest.Interface] {
        let usable = try networks.usable(by: project, limit: 2, in: reader)
        guard usable.count < 2 else {
            throw APIError.conflict(
                "Multiple possible networks found, use a Network ID to be more specific.", type: "NetworkAmbiguous")
        }
        return usable.map { .init(network: $0.id.text, port: nil, fixedIP: nil, tag: nil) }
    }

    private func makePort(
        _ interface: NetworkRequest.Interface, _ position: Int, _ reservation: Reservation,
        _ transaction: any SQLTransaction
    ) throws {
        let text = interface.network ?? ""
        guard let id = NetworkID(text), let network = try networks.find(id, in: transaction),
            reservation.caller.isAdmin || network.project == reservation.project || network.isShared
                || network.isExternal
        else { throw APIError.badRequest("Network \(text) could not be found.") }
        guard !network.isExternal || network.isShared || reservation.caller.isAdmin else {
            throw APIError.forbidden("It is not allowed to create an interface on external network \(network.id)")
        }
        guard try !(subnets.ids(of: [network.id], in: transaction)[network.id] ?? []).isEmpty else {
            throw APIError.badRequest(
                "Network \(network.id) requires a subnet in order to boot instances on.")
        }
        var port = PortRecord(
            id: newID(), network: network.id, project: reservation.project,
            standard: Standard(createdAt: reservation.now), mac: newMAC())
        port.deviceID = reservation.server.text
        port.isSecurityEnabled = network.isPortSecurityEnabled
        port.position = position
        port.isServersOwn = true
        port.hostname = reservation.hostname
        port.groups = network.isPortSecurityEnabled ? reservation.groups : []
        do {
            try checkQuota(.port, project: reservation.project, in: transaction)
        } catch let error as APIError where error.type == "OverQuota" {
            throw APIError.forbidden("Maximum number of ports exceeded")
        }
        do {
            let address = try fixedAddress(interface.fixedIP)
            _ = try insert(&port, isMACGiven: false, fixedIPs: address, in: transaction)
        } catch let error as APIError where error.type == "IpAddressAlreadyAllocated" {
            throw APIError.badRequest("Fixed IP address \(interface.fixedIP ?? "") is already in use on instance.")
        } catch let error as APIError where error.type == "IpAddressGenerationFailure" {
            throw APIError.badRequest("No fixed IP addresses available for network: \(network.id)")
        } catch let error as APIError where error.status == 400 {
            throw APIError.badRequest(error.message)
        }
    }

    private func fixedAddress(_ text: String?) throws -> [FixedIPRequest]? {
        guard let text else { return nil }
        guard let address = IPAddress(text) else { throw APIError.badRequest("Invalid fixed IP address (\(text))") }
        return [FixedIPRequest(subnet: nil, address: address)]
    }

    private func adopt(
        _ interface: NetworkRequest.Interface, _ position: Int, _ reservation: Reservation,
        _ transaction: any SQLTransaction
    ) throws {
        let text = interface.port ?? ""
        guard let id = PortID(text), var port = try ports.find(id, in: transaction),
            reservation.caller.isAdmin || port.project == reservation.project
        else { throw APIError.badRequest("Port id \(text) could not be found.") }
        guard port.project == reservation.project else {
            throw APIError.badRequest("Port \(port.id) not usable for instance \(reservation.server).")
        }
        guard port.deviceID.isEmpty || port.deviceID == reservation.server.text else {
            throw APIError.conflict("Port \(port.id) is still in use.")
        }
        guard !port.fixedIPs.isEmpty else {
            throw APIError.badRequest("Port \(port.id) requires a FixedIP in order to be used.")
        }
        port.deviceID = reservation.server.text
        port.position = position
        port.hostname = reservation.hostname
        try ports.update(port, at: reservation.now, in: transaction)
    }

    /// The groups of these names or ids; the project's default group without any.
    private func computeGroups(
        _ names: [String], project: ProjectID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> [SecurityGroupID] {
        var result: [SecurityGroupID] = []
        for name in names.isEmpty ? ["default"] : names {
            if name == "default" {
                result.append(try defaultGroup(of: project, at: now, in: transaction).id)
                continue
            }
            if let id = SecurityGroupID(name), let group = try groups.find(id, in: transaction),
                group.project == project
            {
                result.append(group.id)
                continue
            }
            let found = try groups.named(name, project: project, in: transaction)
            guard let group = found.first else { throw APIError.badRequest("Security group \(name) not found.") }
            guard found.count == 1 else {
                throw APIError.conflict(
                    "Multiple security_group found matching name '\(name)', use an ID to be more specific.")
            }
            result.append(group.id)
        }
        var seen: Set<SecurityGroupID> = []
        return result.filter { seen.insert($0).inserted }
    }

    public func bindPorts(
        of server: ServerID, to node: NodeID, availabilityZone: String, in transaction: any SQLTransaction
    ) throws {
        guard let hostname = try directory.node(node, in: transaction)?.hostname else {
            throw FleetError.unknownNode(node.text)
        }
        for port in try ports.ports(ofDevice: server.text, in: transaction) {
            try bind(port, to: node, hostname, owner: "compute:\(availabilityZone)", in: transaction)
        }
    }

    private func bind(
        _ port: PortRecord, to node: NodeID, _ hostname: String, owner: String, in transaction: any SQLTransaction
    ) throws {
        // Nobody says what time it is; the port's own time will do for what is made along.
        let now = port.standard.updatedAt
        var port = port
        if let old = port.node, old != node {
            try unplan(port, from: old, at: now, in: transaction)
            port.standard.revision += 1
            port.node = nil
            port.status = .down
        }
        guard port.node != node || port.deviceOwner != owner else { return }
        if port.node == nil { try plan(port, on: node, at: now, in: transaction) }
        port.node = node
        port.host = hostname
        port.deviceOwner = owner
        try ports.update(port, at: now, in: transaction)
    }

    public func releasePorts(of server: ServerID, in transaction: any SQLTransaction) throws {
        for port in try ports.ports(ofDevice: server.text, in: transaction) {
            if port.isServersOwn {
                try remove(port, in: transaction)
            } else {
                try detach(port, in: transaction)
            }
        }
    }

    /// Takes a port that outlives its server off it.
    private func detach(_ port: PortRecord, in transaction: any SQLTransaction) throws {
        var port = port
        if let node = port.node {
            try unplan(port, from: node, at: port.standard.updatedAt, in: transaction)
            port.standard.revision += 1
        }
        port.node = nil
        port.host = ""
        port.status = .down
        port.deviceID = ""
        port.deviceOwner = ""
        port.position = 0
        try ports.update(port, at: port.standard.updatedAt, in: transaction)
    }

    public func ports(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [ServerPort]] {
        try ComputeViewStore().ports(of: servers, in: reader)
    }

    public func securityGroupNames(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [String]] {
        try ComputeViewStore().groupNames(of: servers, in: reader)
    }

    public func physicalNetworks(of server: ServerID, in reader: any SQLReader) throws -> Set<String> {
        try ComputeViewStore().physicalNetworks(of: server, in: reader)
    }
}

/// Host names as DHCP may hand them out.
enum DNSLabel {
    /// Lower-case letters, digits and hyphens, at most 63, none of them a hyphen at either end (RFC 1123 section 2.1);
    /// empty when nothing of the text remains.
    static func make(from text: String) -> String {
        let first = text.split(separator: ".", omittingEmptySubsequences: false).first ?? ""
        let mapped = first.lowercased().utf8.map { byte in
            (97...122).contains(byte) || (48...57).contains(byte) ? byte : UInt8(ascii: "-")
        }
        var label = mapped.drop { $0 == UInt8(ascii: "-") }.prefix(63)
        while label.last == UInt8(ascii: "-") { label.removeLast() }
        return String(decoding: label, as: UTF8.self)
    }
}
