import CoordinatorFleet
import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// Images of servers' disks, which their hosts make and send.
struct ServerImaging: Sendable {
    let parts: ComputeParts

    /// What an image of a server is called, and what Nova writes on it.
    struct Draft: Sendable {
        var name: String
        /// `snapshot` or `backup`.
        var type = "snapshot"
        var properties: [String: String] = [:]
        /// The caller's own.
        var given: [String: String] = [:]
    }

    /// Properties of the server's image that say nothing of the new one's disk.
    private static let lost: Set<String> = ["cache_in_nova", "bittorrent", "img_signature", "img_signature_hash_method"]

    func reserve(
        _ draft: Draft, of server: ServerRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ImageID {
        var properties = server.image.properties.filter { property in
            !Self.lost.contains(property.key) && !property.key.hasPrefix("os_glance")
        }
        properties["instance_uuid"] = server.id.text
        properties["user_id"] = origin.caller.user.compact
        properties["image_type"] = draft.type
        properties["base_image_ref"] = server.image.spec.id.text
        if origin.caller.project != server.project { properties["instance_owner"] = server.project.compact }
        properties.merge(draft.properties) { _, own in own }
        let image = ServerImage(
            name: draft.name, server: server.id, owner: server.project, minDiskGiB: server.flavor.rootGiB,
            minMemoryMiB: try parts.image.describe(server.image.spec.id, in: transaction)?.minMemoryMiB ?? 0,
            properties: properties, given: draft.given)
        return try parts.image.reserve(
            image, permissions: origin.permissions, at: origin.now, in: transaction)
    }

    /// Asks the host for the image; the task is the record's already.
    func submit(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let node = server.host?.node, let upload = server.upload, let task = server.state.task else { return }
        // The host gives up before the watchdog does.
        let deadline = now + (task.allowedSeconds - 20) * 1_000_000
        server.operation = try parts.operations.submit(
            .snapshot(server.id, image: upload.image), on: node, deadline: deadline, in: transaction)
    }

    func ended(
        _ outcome: HostedOutcome, of server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let upload = server.upload else { return }
        guard outcome == .completed else { return try drop(&server, in: transaction) }
        server.upload = nil
        try rotate(upload, of: server, in: transaction)
        guard server.power != server.state.lastingPower else { return }
        try parts.workflow.plan(&server, server.state.lastingPower, in: transaction)
    }

    /// Nothing comes of the image that was under way.
    func drop(_ server: inout ServerRecord, in transaction: any SQLTransaction) throws {
        guard let upload = server.upload else { return }
        server.upload = nil
        try parts.image.discard(upload.image, in: transaction)
    }

    /// Backups beyond those that stay go, the oldest first.
    private func rotate(
        _ upload: ServerRecord.ImageUpload, of server: ServerRecord, in transaction: any SQLTransaction
    ) throws {
        guard let type = upload.backupType, let most = upload.rotation else { return }
        let backups = try parts.image.backups(
            of: server.id, type: type, owner: server.project, in: transaction)
        for image in backups.dropFirst(max(0, most)) { try parts.image.discard(image, in: transaction) }
    }
}

extension ServerCommands {
    /// - Parameter isLimited: Whether the quota of metadata counts for the image's.
    /// - Throws: ``APIError`` in the compute API's words.
    /// - Returns: The image, without data yet.
    func createImage(
        _ id: String, name: String, metadata: [String: String], isLimited: Bool, origin: Origin,
        in transaction: any SQLTransaction
    ) throws -> ImageID {
        let server = try access.findToChange(
            id, rule: "servers:create_image", by: origin.permissions, ignoringLock: true, in: transaction)
        try accept(.createImage, server)
        // As where Nova's operator does not let images of volumes be made through servers: the volume service snapshots.
        guard !server.isVolumeBacked else {
            throw APIError.forbidden(
                "Policy doesn't allow os_compute_api:servers:create_image:allow_volume_backed to be performed.")
        }
        if isLimited { try checkImage(metadata, of: server, in: transaction) }
        let draft = ServerImaging.Draft(name: name, given: metadata)
        return try image(
            server, .createImage, draft, task: .imageSnapshotPending, origin: origin, in: transaction
        ) {
            ServerRecord.ImageUpload(image: $0)
        }
    }

    func createBackup(
        _ id: String, _ wish: BackupWish, isLimited: Bool, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ImageID {
        let server = try access.findToChange(
            id, rule: "os-create-backup", by: origin.permissions, ignoringLock: true, in: transaction)
        try accept(.createBackup, server)
        guard !server.isVolumeBacked else {
            throw APIError.badRequest("It is not supported to backup volume-backed instance.")
        }
        if isLimited { try checkImage(wish.metadata, of: server, in: transaction) }
        let draft = ServerImaging.Draft(
            name: wish.name, type: "backup", properties: ["backup_type": wish.type],
            given: wish.metadata.filter { $0.key != "backup_type" })
        return try image(server, .createBackup, draft, task: .imageBackup, origin: origin, in: transaction) {
            ServerRecord.ImageUpload(image: $0, backupType: wish.type, rotation: wish.rotation)
        }
    }

    private func image(
        _ server: ServerRecord, _ command: ServerLifecycle.Command, _ draft: ServerImaging.Draft, task: TaskState,
        origin: Origin, in transaction: any SQLTransaction,
        upload: (ImageID) -> ServerRecord.ImageUpload
    ) throws -> ImageID {
        var server = server
        try accept(command, server)
        guard server.host != nil else { throw APIError.conflict("Instance \(server.id) is not ready") }
        let imaging = ServerImaging(parts: parts)
        let image = try imaging.reserve(draft, of: server, origin: origin, in: transaction)
        try begin(&server, command.name, task: task, origin: origin, in: transaction)
        server.upload = upload(image)
        try imaging.submit(&server, at: origin.now, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return image
    }

    private func checkImage(
        _ metadata: [String: String], of server: ServerRecord, in reader: any SQLReader
    ) throws {
        let limit = try parts.quotas.ledger.limit("metadata_items", of: server.project, in: reader)
        guard limit < 0 || metadata.count <= limit else {
            throw APIError.forbidden("Image metadata limit exceeded")
        }
    }
}

/// What a backup call asks for, checked for form only.
struct BackupWish: Sendable {
    var name = ""
    /// `daily`, `weekly`, ...
    var type = ""
    /// How many of the type stay.
    var rotation = 0
    var metadata: [String: String] = [:]
}
