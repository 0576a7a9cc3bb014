import CoordinatorFleet
import CoordinatorImage
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// A server's disk made anew, in its place.
extension ServerCommands {
    /// - Throws: ``APIError`` in the compute API's words; nothing of the server is touched then.
    func rebuild(
        _ id: String, _ command: RebuildServer, password: String, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.find(id, asking: "servers:rebuild", by: origin.permissions, in: transaction)
        if command.certificates != nil {
            try origin.permissions.require(
                ComputePolicy.prefix + "servers:rebuild:trusted_certs", ComputePolicy.target(server))
        }
        server = try access.findToChange(id, rule: "servers:rebuild", by: origin.permissions, in: transaction)
        try accept(.rebuild, server)
        guard let host = server.host else { throw APIError.conflict("Instance \(server.id) is not ready") }
        try refuse(command)
        // Nothing here writes an image over a volume.
        guard !server.isVolumeBacked else {
            throw APIError.badRequest("Unable to rebuild with a different image for a volume-backed server.")
        }
        let image = try bootImage(command.imageID, for: server, origin: origin, in: transaction)
        try check(image, fits: host, in: transaction)
        try apply(command, to: &server, origin: origin, in: transaction)
        server.image = ImageSnapshot(image)
        server.diskImage = nil
        server.rootDiskVersion += 1
        server.adminPassword = password
        try ServerSpecProvider.checkSize(server)
        try begin(&server, "rebuild", task: .rebuilding, origin: origin, in: transaction)
        try workflow.plan(&server, server.state.vm == .stopped ? .stopped : .running, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    private func refuse(_ command: RebuildServer) throws {
        if command.keepsEphemeral {
            throw APIError.badRequest("The current driver does not support preserving ephemeral partitions.")
        }
        if command.hasFiles {
            throw APIError.badRequest(
                "Personality files are not supported: give the guest its files with user_data instead.")
        }
        guard ((command.certificates ?? nil) ?? []).isEmpty else {
            throw APIError.badRequest(
                "Image signature certificate validation is not available here: leave trusted_image_certificates out.")
        }
    }

    private func bootImage(
        _ id: String, for server: ServerRecord, origin: Origin, in reader: any SQLReader
    ) throws -> BootImage {
        let image: BootImage
        do {
            image = try parts.image.bootable(id, caller: origin.caller, in: reader)
        } catch let refusal as CoordinatorPlatform.Refusal {
            throw APIError.badRequest(refusal.code == .notFound ? "Cannot find image for rebuild" : refusal.message)
        }
        try FlavorCatalog.check(server.flavor, fits: image, caller: origin.caller)
        return image
    }

    /// The server stays where it is, so that its host must have what the new image asks for.
    private func check(_ image: BootImage, fits host: ServerHost, in reader: any SQLReader) throws {
        guard let report = try parts.directory.node(host.node, in: reader)?.report else { return }
        var required = HardwareWishes.read(extraSpecs: [:], image: image.properties).required
        if image.properties["hw_firmware_type"] == "uefi" { required.insert(Trait.uefi) }
        let missing = required.filter(Trait.isReported).subtracting(Trait.of(report)).sorted()
        guard missing.isEmpty else {
            throw APIError.badRequest(
                "No valid host was found. The server's host lacks \(missing.joined(separator: ", ")), which image "
                    + "\(image.spec.id) asks for: choose another image.")
        }
    }

    private func apply(
        _ command: RebuildServer, to server: inout ServerRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        if let metadata = command.metadata {
            try parts.quotas.check(metadata: metadata.count, of: server.project, in: transaction)
            server.metadata = metadata
        }
        if let name = command.name { server.name = name }
        if let description = command.description { server.description = description }
        if let hostname = command.hostname { server.hostname = hostname }
        if let address = command.accessIPv4 { server.accessIPv4 = address }
        if let address = command.accessIPv6 { server.accessIPv6 = address }
        if let config = command.diskConfig { server.diskConfig = config }
        if let userData = command.userData { server.userData = userData }
        guard let name = command.keyName else { return }
        server.keyName = name
        // Whoever rebuilds names one of their own.
        server.publicKey = try name.map { name in
            guard let key = try parts.keypairs.find(name, user: origin.caller.user, in: transaction) else {
                throw APIError.badRequest("Invalid key_name provided.")
            }
            return key.publicKey
        }
    }
}
