import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Interfaces that come to and leave servers that are there.
struct InterfaceCommands: Sendable {
    let parts: ComputeParts
    private var access: ServerAccess { ServerAccess(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

    /// - Returns: The interface as it is now; its host has it a moment later.
    /// - Throws: ``APIError``, and ``Refusal`` of the network's.
    func attach(
        _ interface: NetworkRequest.Interface, to id: String, rule: String = "os-attach-interfaces:create",
        origin: Origin, in transaction: any SQLTransaction
    ) throws -> (server: ServerRecord, port: ServerPort) {
        var server = try access.findToChange(id, rule: rule, by: origin.permissions, in: transaction)
        try Self.requireSettled(server, to: "attach_interface")
        let port = try parts.network.attachPort(
            interface, server: server.id, hostname: server.hostname, permissions: origin.permissions,
            project: server.project, at: origin.now, in: transaction)
        if let host = server.host {
            try parts.network.bindPorts(
                of: server.id, to: host.node, availabilityZone: host.zone, at: origin.now, in: transaction)
        }
        try DeviceChanges(parts: parts).begin(
            .attach, ServerDevice(server: server.id, kind: .port, device: port.cast(), tag: interface.tag),
            of: &server, origin: origin, in: transaction)
        guard let shown = try ports(of: server, in: transaction).first(where: { $0.port == port }) else {
            throw StoreError.stale("port \(port)")
        }
        return (server, shown)
    }

    /// Asks the server's host to take it off; it is the server's until it has.
    func detach(
        _ port: String, from id: String, rule: String = "os-attach-interfaces:delete", origin: Origin,
        in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.findToChange(id, rule: rule, by: origin.permissions, in: transaction)
        try Self.requireSettled(server, to: "detach_interface")
        guard let port = PortID(port), try ports(of: server, in: transaction).contains(where: { $0.port == port })
        else { throw APIError.notFound("Port id \(port) could not be found.") }
        let known = try parts.devices.find(port.cast(), .port, of: server.id, in: transaction)
        if known?.change == .detach { return server }
        if let action = known?.action { try parts.log.finish(action, message: nil, at: origin.now, in: transaction) }
        try DeviceChanges(parts: parts).begin(
            .detach, known ?? ServerDevice(server: server.id, kind: .port, device: port.cast()), of: &server,
            origin: origin, in: transaction)
        return server
    }

    /// The same for the interface that has an address.
    func detach(
        address text: String, from id: String, rule: String, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        let server = try access.findToChange(id, rule: rule, by: origin.permissions, in: transaction)
        let address = IPAddress(text)
        let found = try ports(of: server, in: transaction).first { $0.fixedIPs.contains { $0.address == address } }
        guard let found else {
            throw APIError.badRequest("Fixed IP not found for address \(text).")
        }
        return try detach(found.port.text, from: id, rule: rule, origin: origin, in: transaction)
    }

    private func ports(of server: ServerRecord, in reader: any SQLReader) throws -> [ServerPort] {
        try parts.network.ports(of: [server.id], in: reader)[server.id] ?? []
    }

    /// - Throws: ``APIError`` 409 unless the server is on a host and nothing is being done with it.
    static func requireSettled(
        _ server: ServerRecord, to what: String, among states: Set<VMState> = [.active, .paused, .stopped]
    ) throws {
        func refused(_ attribute: String, _ value: String) -> APIError {
            .conflict("Cannot '\(what)' instance \(server.id) while it is in \(attribute) \(value)")
        }
        guard states.contains(server.state.vm), server.host != nil else {
            throw refused("vm_state", server.state.vm.rawValue)
        }
        if let task = server.state.task { throw refused("task_state", task.rawValue) }
    }
}
