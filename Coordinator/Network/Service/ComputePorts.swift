import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What the compute slice asks of this one.
extension NetworkService: NetworkForCompute {
    public func reservePorts(
        _ request: NetworkRequest, server: ServerID, hostname: String, permissions: Permissions, project: ProjectID,
        at now: Int64, in transaction: any SQLTransaction
    ) throws -> [ServerPort] {
        let wanted: [NetworkRequest.Interface]
        let groupNames: [String]
        switch request {
        case .none: return []
        case .automatic:
            wanted = try automaticInterfaces(project, transaction)
            groupNames = []
        case .interfaces(let interfaces, let names):
            wanted = try interfaces.isEmpty ? automaticInterfaces(project, transaction) : interfaces
            groupNames = names
        }
        let reservation = Reservation(
            server: server, hostname: DNSLabel.make(from: hostname), permissions: permissions, project: project,
            now: now,
            groups: wanted.allSatisfy { $0.port != nil }
                ? [] : try computeGroups(groupNames, project: project, at: now, in: transaction))
        try refusing {
            for (position, interface) in wanted.enumerated() {
                if interface.port != nil {
                    try adopt(interface, position, reservation, transaction)
                } else {
                    try makePort(interface, position, reservation, transaction)
                }
            }
        }
        return try ports(of: [server], in: transaction)[server] ?? []
    }

    public func attachPort(
        _ interface: NetworkRequest.Interface, server: ServerID, hostname: String, permissions: Permissions,
        project: ProjectID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PortID {
        let present = try ports.ports(of: server, in: transaction)
        guard present.count < NetworkRequest.mostInterfaces else {
            throw Refusal(.overQuota, "port", "", "A server has at most \(NetworkRequest.mostInterfaces) interfaces.")
        }
        if let name = interface.port, present.contains(where: { $0.id == PortID(name) }) {
            throw Refusal(.inUse, "port", name, "Port \(name) is an interface of the server already.")
        }
        var wanted = interface
        if interface.network == nil, interface.port == nil {
            guard let only = try automaticInterfaces(project, transaction).first else {
                throw Refusal(.exhausted, "network", "", "The project has no network.")
            }
            wanted.network = only.network
        }
        let reservation = Reservation(
            server: server, hostname: DNSLabel.make(from: hostname), permissions: permissions, project: project,
            now: now,
            groups: wanted.port != nil ? [] : try computeGroups([], project: project, at: now, in: transaction))
        let position = (present.last?.position ?? -1) + 1
        return try refusing {
            try wanted.port != nil
                ? adopt(wanted, position, reservation, transaction)
                : makePort(wanted, position, reservation, transaction)
        }
    }

    public func detachPort(
        _ port: PortID, of server: ServerID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let port = try ports.find(port, in: transaction), port.server == server else { return }
        try letGo(port, at: now, in: transaction)
    }

    /// What all interfaces of one server have in common.
    private struct Reservation {
        var server: ServerID
        var hostname: String
        var permissions: Permissions
        var project: ProjectID
        var now: Int64
        var groups: [SecurityGroupID]

        var isAdmin: Bool { permissions.caller.isAdmin }
    }

    private func automaticInterfaces(
        _ project: ProjectID, _ reader: any SQLReader
    ) throws -> [NetworkRequest.Interface] {
        let usable = try networks.usable(by: project, limit: 2, in: reader)
        guard usable.count < 2 else {
            throw Refusal(.ambiguous, "network", "", "There are several networks: say which one is meant.")
        }
        return usable.map { .init(network: $0.id.text, port: nil, fixedIP: nil, tag: nil) }
    }

    @discardableResult
    private func makePort(
        _ interface: NetworkRequest.Interface, _ position: Int, _ reservation: Reservation,
        _ transaction: any SQLTransaction
    ) throws -> PortID {
        let network = try network(interface.network ?? "", reservation, transaction)
        try reservation.permissions.require(NetworkPolicy.createPort, Policy.Target(project: reservation.project))
        if interface.fixedIP != nil {
            try reservation.permissions.require(NetworkPolicy.chooseAddress, Policy.Target(project: network.project))
        }
        do { try quotas.claim("port", for: reservation.project, in: transaction) } catch is QuotaExceeded {
            throw Refusal(.overQuota, "port", "", "The project has as many ports as it may have.")
        }
        var port = PortRecord(
            id: newID(), network: network.id, project: reservation.project,
            standard: Standard(createdAt: reservation.now), mac: newMAC())
        port.server = reservation.server
        port.deviceID = reservation.server.text
        port.isSecurityEnabled = network.isPortSecurityEnabled
        port.position = position
        port.isServersOwn = true
        port.hostname = reservation.hostname
        port.groups = network.isPortSecurityEnabled ? reservation.groups : []
        let address = try interface.fixedIP.map { text in
            guard let address = IPAddress(text) else {
                throw Refusal(.invalid, "address", text, "Invalid fixed IP address (\(text))")
            }
            return [FixedIPRequest(address: address)]
        }
        try insert(&port, isMACGiven: false, fixedIPs: address, in: transaction)
        return port.id
    }

    private func network(
        _ name: String, _ reservation: Reservation, _ reader: any SQLReader
    ) throws -> NetworkRecord {
        let viewer = Viewer(isAdmin: reservation.isAdmin, project: reservation.project)
        guard let network = try networkListing.first(name, viewer: viewer, in: reader) else {
            throw Refusal(.notFound, "network", name, "Network \(name) could not be found.")
        }
        try requireAttachable(network, reservation)
        guard try !subnets.ids(of: [network.id], in: reader).isEmpty else {
            throw Refusal(.conflict, "network", network.id.text, "Network \(network.id) has no subnet.")
        }
        return network
    }

    /// External networks lead out of the cloud: servers of members are behind routers, whichever way they ask.
    private func requireAttachable(_ network: NetworkRecord, _ reservation: Reservation) throws {
        guard network.isExternal, !network.isShared, !reservation.isAdmin else { return }
        throw Refusal(.forbidden, "network", network.id.text, "Servers cannot be on external network \(network.id).")
    }

    @discardableResult
    private func adopt(
        _ interface: NetworkRequest.Interface, _ position: Int, _ reservation: Reservation,
        _ transaction: any SQLTransaction
    ) throws -> PortID {
        let text = interface.port ?? ""
        guard let id = PortID(text), var port = try ports.find(id, in: transaction),
            reservation.isAdmin || port.project == reservation.project
        else { throw Refusal(.notFound, "port", text, "Port \(text) could not be found.") }
        guard port.project == reservation.project else {
            throw Refusal(
                .forbidden, "port", id.text, "Port \(id) not usable for instance \(reservation.server).")
        }
        let isFree = port.deviceID.isEmpty || port.deviceID == reservation.server.text
        guard !port.isService, port.server.map({ $0 == reservation.server }) ?? isFree else {
            throw Refusal(.inUse, "port", id.text, "Port \(id) is still in use.")
        }
        if let network = try networks.find(port.network, in: transaction) {
            try requireAttachable(network, reservation)
        }
        guard !port.fixedIPs.isEmpty else {
            throw Refusal(.conflict, "port", id.text, "Port \(id) has no address.")
        }
        port.server = reservation.server
        port.deviceID = reservation.server.text
        port.position = position
        port.hostname = reservation.hostname
        try ports.table.update(port, at: reservation.now, in: transaction)
        return id
    }

    /// The groups of these names or ids; the project's default group without any.
    private func computeGroups(
        _ names: [String], project: ProjectID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> [SecurityGroupID] {
        var result: [SecurityGroupID] = []
        for name in names.isEmpty ? ["default"] : names {
            let group = try computeGroup(name, project: project, at: now, in: transaction)
            if !result.contains(group) { result.append(group) }
        }
        return result
    }

    private func computeGroup(
        _ name: String, project: ProjectID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> SecurityGroupID {
        if name == "default" { return try defaultGroup(of: project, at: now, in: transaction).id }
        if let id = SecurityGroupID(name), let group = try groups.find(id, in: transaction),
            try group.project == project || rbac.shared([id], with: project, in: transaction).contains(id)
        {
            return id
        }
        let found = try groups.named(name, project: project, in: transaction)
        guard let group = found.first else {
            throw Refusal(.notFound, "security_group", name, "Security group \(name) not found.")
        }
        guard found.count == 1 else {
            throw Refusal(.ambiguous, "security_group", name, "Several security groups are called '\(name)'.")
        }
        return group.id
    }

    public func setGroup(
        _ name: String, isMember: Bool, of server: ServerID, project: ProjectID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        let group = try computeGroup(name, project: project, at: now, in: transaction)
        let ports = try ports.ports(of: server, in: transaction).filter { $0.isSecurityEnabled && !$0.fixedIPs.isEmpty }
        if isMember, ports.isEmpty {
            throw Refusal(.invalid, "security_group", name, "No port of the server can be in a security group.")
        }
        if !isMember, !ports.contains(where: { $0.groups.contains(group) }) {
            throw Refusal(.conflict, "security_group", name, "No port of the server is in security group \(name).")
        }
        for port in ports where port.groups.contains(group) != isMember {
            var change = PortChange()
            change.groups = isMember ? port.groups + [group] : port.groups.filter { $0 != group }
            try updatePort(port.id, change, viewer: .everything, at: now, in: transaction)
        }
    }

    /// What is refused in this slice's own terms, as a refusal for others.
    private func refusing<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as AddressRefusal { throw error.refusal }
    }

    public func bindPorts(
        of server: ServerID, to node: NodeID, availabilityZone: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard let hostname = try directory.node(node, in: transaction)?.hostname else {
            throw FleetError.unknownNode(node.text)
        }
        for port in try ports.ports(of: server, in: transaction) {
            try refusing {
                try bind(port, to: node, hostname, owner: "compute:\(availabilityZone)", at: now, in: transaction)
            }
        }
    }

    private func bind(
        _ port: PortRecord, to node: NodeID, _ hostname: String, owner: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
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
        port.deviceID = port.server?.text ?? port.deviceID
        port.deviceOwner = owner
        try ports.table.update(port, at: now, in: transaction)
    }

    public func releasePorts(of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws {
        for port in try ports.ports(of: server, in: transaction) { try letGo(port, at: now, in: transaction) }
    }

    private func letGo(_ port: PortRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        if port.isServersOwn {
            try remove(port, at: now, in: transaction)
        } else {
            try detach(port, at: now, in: transaction)
        }
    }

    public func unbindPorts(of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws {
        for var port in try ports.ports(of: server, in: transaction) {
            guard let node = port.node else { continue }
            port.standard.revision += 1
            try unplan(port, from: node, at: now, in: transaction)
        }
    }

    /// Takes a port that outlives its server off it.
    private func detach(_ port: PortRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        var port = port
        if let node = port.node {
            try unplan(port, from: node, at: now, in: transaction)
            port.standard.revision += 1
        }
        port.node = nil
        port.host = ""
        port.status = .down
        port.server = nil
        port.deviceID = ""
        port.deviceOwner = ""
        port.position = 0
        try ports.table.update(port, at: now, in: transaction)
    }

    public func ports(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [ServerPort]] {
        try ServerPortStore().ports(of: servers, in: reader)
    }

    public func securityGroupNames(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [String]] {
        try ServerPortStore().groupNames(of: servers, in: reader)
    }

    public func physicalNetworks(of server: ServerID, in reader: any SQLReader) throws -> Set<String> {
        try ServerPortStore().physicalNetworks(of: server, in: reader)
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
