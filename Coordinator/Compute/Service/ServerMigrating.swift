import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// A stopped server's way to another host. Its disk goes there as an image, which is kept until the move is confirmed:
/// from the moment on that the image is whole the old host has nothing of the server any more, and never do two have one.
struct ServerMigrating: Sendable {
    let parts: ComputeParts
    private var workflow: HostedWorkflow<ServerHosting> { parts.workflow }

    /// Why a server cannot leave its host; `nil` when it can.
    func obstacle(to server: ServerRecord, in reader: any SQLReader) throws -> String? {
        if server.flavor.ephemeralGiB > 0 {
            return "The ephemeral disk of instance \(server.id) is on its host's own storage, and is not moved."
        }
        guard try parts.volumes.attachments(of: [server.id], in: reader)[server.id]?.isEmpty ?? true else {
            return "The volumes of instance \(server.id) stay on their host: detach them first."
        }
        return nil
    }

    /// Makes the image that the disk is to go through.
    func reserve(_ server: inout ServerRecord, origin: Origin, in transaction: any SQLTransaction) throws {
        try arrived(&server, in: transaction)
        let image = try ServerImaging(parts: parts).reserve(
            ServerImaging.Draft(name: "\(server.name)-migrating"), of: server, origin: origin, in: transaction)
        server.upload = ServerRecord.ImageUpload(image: image)
    }

    /// The image is whole: the old host is rid of the server, and the new one makes it.
    func depart(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let migration = try parts.migrations.open(of: server.id, in: transaction),
            let destination = migration.destination
        else { return }
        server.shelvedImage = server.upload?.image
        server.upload = nil
        guard try hasImage(server, in: transaction) else {
            try ServerResizing(parts: parts).ended(.resizeMigrating, .reverted, of: &server, at: now, in: transaction)
            return try stay(&server, migration, at: now, in: transaction)
        }
        server.flavor = migration.newFlavor
        server.power = server.state.lastingPower
        workflow.step(&server, task: .resizeMigrated, at: now)
        try move(&server, to: destination, at: now, in: transaction)
        try workflow.plan(&server, in: transaction)
    }

    /// The server is where it was before: made again from the image where it had left already.
    func comeBack(
        _ server: inout ServerRecord, _ migration: ServerMigration, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard Self.hasDeparted(server, migration), let source = migration.source else {
            return try ServerImaging(parts: parts).drop(&server, in: transaction)
        }
        try move(&server, to: source, at: now, in: transaction)
    }

    /// What was under way cannot go on: somebody deleted the image.
    func stay(
        _ server: inout ServerRecord, _ migration: ServerMigration, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        server.shelvedImage = nil
        server.fault = ServerFault(
            message: "The image of the disk of instance \(server.id) is gone: the server stays where it is.",
            details: "", createdAt: now)
        try workflow.endTask(&server, message: "Error", at: now, in: transaction)
        try workflow.plan(&server, migration.oldState == .stopped ? .stopped : .running, in: transaction)
    }

    func hasImage(_ server: ServerRecord, in reader: any SQLReader) throws -> Bool {
        try server.shelvedImage.map { try parts.image.describe($0, in: reader) != nil } ?? false
    }

    /// Where it is it stays: nothing is made from the image any more.
    func arrived(_ server: inout ServerRecord, in transaction: any SQLTransaction) throws {
        guard let image = server.shelvedImage else { return }
        server.shelvedImage = nil
        try parts.image.discard(image, in: transaction)
    }

    static func hasDeparted(_ server: ServerRecord, _ migration: ServerMigration) -> Bool {
        migration.isMove && server.host?.node == migration.destination?.node
    }

    private func move(
        _ server: inout ServerRecord, to place: ServerMigration.Place, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard let image = try server.shelvedImage.flatMap({ try parts.image.describe($0, in: transaction) }) else {
            throw APIError.conflict("The image of the disk of instance \(server.id) is gone.")
        }
        if let old = server.host?.node { try parts.plans.remove(server.key, from: old, in: transaction) }
        let book = try ZoneBook(parts, in: transaction)
        let zone = try parts.directory.node(place.node, in: transaction).map(book.zone)
        server.host = ServerHost(
            node: place.node, hostname: place.hostname, zone: zone ?? parts.settings.defaultZone)
        server.diskImage = image.spec
        server.rootDiskVersion += 1
        server.state.power = .none
        try HostChoice(parts: parts).bind(server, at: now, in: transaction)
    }
}
