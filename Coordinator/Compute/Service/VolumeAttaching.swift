import CoordinatorBlockStorage
import CoordinatorPlatform
import ProtocolModel

/// Volumes that come to and leave servers that are there.
struct VolumeAttaching: Sendable {
    let parts: ComputeParts
    private var access: ServerAccess { ServerAccess(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

    /// Volumes that one server can have: as many as the letters name.
    static let most = 24

    static func origin(_ origin: Origin, _ server: ServerRecord) -> VolumeOrigin {
        VolumeOrigin(
            permissions: origin.permissions, project: server.project, requestID: origin.requestID, now: origin.now)
    }

    /// - Returns: The attachment as it is now; the guest has the volume a moment later.
    /// - Throws: ``APIError``, and ``Refusal`` of the volume's.
    func attach(
        _ volume: String, to id: String, _ wish: AttachmentWish, origin: Origin, in transaction: any SQLTransaction
    ) throws -> VolumeAttachment {
        var server = try access.findToChange(
            id, rule: "os-volumes-attachments:create", by: origin.permissions, in: transaction)
        try InterfaceCommands.requireSettled(server, to: "attach_volume")
        guard let host = server.host else { return try Self.refuseHomeless(server) }
        let held = try parts.volumes.attachments(of: [server.id], in: transaction)[server.id] ?? []
        guard held.count < Self.most else {
            throw APIError.forbidden(
                "The maximum allowed number of disk devices (\(Self.most)) to attach to a single instance has been "
                    + "exceeded.")
        }
        var wish = wish
        wish.device = try DeviceNames.device(
            wish.device, taken: Set(held.compactMap(\.device)), localDisks: server.reservedNames)
        let reserved = try parts.volumes.reserve(
            volume, for: server.id, wish, origin: Self.origin(origin, server), in: transaction)
        let attached = try parts.volumes.attach(
            reserved.id, on: host.node, hostname: host.hostname, at: origin.now, in: transaction)
        try DeviceChanges(parts: parts).begin(
            .attach, ServerDevice(server: server.id, kind: .volume, device: attached.volume.cast(), tag: wish.tag),
            of: &server, origin: origin, in: transaction)
        return attached
    }

    private static func refuseHomeless(_ server: ServerRecord) throws -> VolumeAttachment {
        throw APIError.conflict(
            "Cannot 'attach_volume' instance \(server.id) while it is in vm_state \(server.state.vm.rawValue)")
    }

    /// - Throws: ``APIError`` 404 unless the server has the volume.
    func find(
        _ volume: String, of server: ServerRecord, in reader: any SQLReader
    ) throws -> VolumeAttachment {
        let held = try parts.volumes.attachments(of: [server.id], in: reader)[server.id] ?? []
        guard let found = held.first(where: { $0.volume == VolumeID(volume) }) else {
            throw APIError.notFound("Instance \(server.id) is not attached to volume \(volume)")
        }
        return found
    }

    /// Asks the server's host to take it off; it is the server's until it has.
    func detach(_ volume: String, from id: String, origin: Origin, in transaction: any SQLTransaction) throws {
        var server = try access.findToChange(
            id, rule: "os-volumes-attachments:delete", by: origin.permissions, in: transaction)
        let attachment = try find(volume, of: server, in: transaction)
        try InterfaceCommands.requireSettled(server, to: "detach_volume")
        guard attachment.bootIndex != 0 else {
            throw APIError.forbidden("Cannot detach a root device volume")
        }
        let known = try parts.devices.find(attachment.volume.cast(), .volume, of: server.id, in: transaction)
        if known?.change == .detach { return }
        _ = try parts.volumes.beginDetaching(attachment.id, at: origin.now, in: transaction)
        if let action = known?.action { try parts.log.finish(action, message: nil, at: origin.now, in: transaction) }
        try DeviceChanges(parts: parts).begin(
            .detach, known ?? ServerDevice(server: server.id, kind: .volume, device: attachment.volume.cast()),
            of: &server, origin: origin, in: transaction)
    }

    func setDeletes(
        _ deletes: Bool, _ volume: String, of id: String, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        var server = try access.findToChange(
            id, rule: "os-volumes-attachments:update", by: origin.permissions, in: transaction)
        let attachment = try find(volume, of: server, in: transaction)
        _ = try parts.volumes.setDeletesVolume(attachment.id, deletes, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
    }
}

/// What volumes are called in servers: `vdb`. Pure.
package enum DeviceNames {
    private static let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)

    /// What the first disks are called.
    static func local(_ count: Int) -> [String] { letters.prefix(count).map { "vd\($0)" } }

    /// - Parameters:
    ///   - wanted: `/dev/vdc`, or `nil` for the next one.
    ///   - localDisks: How many disks of its own the guest has, which come first.
    /// - Throws: ``APIError`` 400 for what is no such name, 409 for one that is taken.
    package static func device(
        _ wanted: String?, taken: Set<String>, localDisks: Int
    ) throws(APIError) -> String {
        let taken = taken.union(local(localDisks))
        if let wanted {
            let name = wanted.hasPrefix("/dev/") ? String(wanted.dropFirst("/dev/".count)) : wanted
            guard name.utf8.count == 3, ["vd", "sd", "xvd"].contains(String(name.dropLast())),
                letters.contains(String(name.suffix(1)))
            else {
                throw APIError.badRequest("The supplied device path (\(wanted)) is invalid.")
            }
            guard !taken.contains(name) else {
                throw APIError.conflict("The supplied device path (\(wanted)) is in use.")
            }
            return name
        }
        guard let free = letters.map({ "vd\($0)" }).first(where: { !taken.contains($0) }) else {
            throw APIError.forbidden("The guest has no name left for another disk.")
        }
        return free
    }
}
