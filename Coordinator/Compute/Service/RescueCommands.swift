import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// A guest started from another disk, with its own behind that.
extension ServerCommands {
    /// - Parameter image: By default, the image that the server was made from.
    /// - Throws: ``APIError`` in the compute API's words.
    func rescue(
        _ id: String, image: String?, password: String, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.findToChange(id, rule: "os-rescue", by: origin.permissions, in: transaction)
        try accept(.rescue, server)
        guard server.host != nil else { throw APIError.conflict("Instance \(server.id) is not ready") }
        guard !server.isVolumeBacked else {
            throw APIError.badRequest(
                "Instance \(server.id) cannot be rescued: Cannot rescue a volume-backed instance")
        }
        server.rescueVersion += 1
        server.rescue = ServerSpec.Rescue(
            version: server.rescueVersion, image: try rescueImage(image, of: server, origin: origin, in: transaction),
            adminPassword: password)
        try begin(&server, "rescue", task: .rescuing, origin: origin, in: transaction)
        try workflow.plan(&server, .running, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    private func rescueImage(
        _ id: String?, of server: ServerRecord, origin: Origin, in reader: any SQLReader
    ) throws -> ImageSpec {
        guard let id else { return server.image.spec }
        do { return try parts.image.bootable(id, caller: origin.caller, in: reader).spec } catch is Refusal {
            throw APIError.badRequest("Requested rescue image '\(id)' is not supported")
        }
    }
}
