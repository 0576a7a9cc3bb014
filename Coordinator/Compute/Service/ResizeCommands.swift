import CoordinatorFleet
import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// Resizes, and what is said of them afterwards.
extension ServerCommands {
    /// - Throws: ``APIError`` in the compute API's words.
    func resize(
        _ id: String, to flavorID: String, diskConfig: String?, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.findToChange(
            id, rule: "servers:resize", by: origin.permissions, in: transaction)
        try accept(.resize, server)
        let host = try requireHost(server, in: transaction)
        let flavor = try FlavorCatalog(parts: parts).bootFlavor(flavorID, caller: origin.caller, in: transaction)
        try check(server, fits: flavor, caller: origin.caller, in: transaction)
        try parts.quotas.check(growth: server.flavor, to: flavor, of: server.project, in: transaction)
        server.diskConfig = diskConfig ?? "MANUAL"
        try begin(&server, "resize", task: .resizePrep, origin: origin, in: transaction)
        try ServerResizing(parts: parts).begin(
            &server, .init(kind: .resize, flavor: flavor), from: host, origin: origin, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    private func check(
        _ server: ServerRecord, fits flavor: FlavorSnapshot, caller: Caller, in reader: any SQLReader
    ) throws {
        func cannot(_ reason: String) -> APIError {
            .badRequest("Server disk was unable to be resized because: \(reason)")
        }
        if flavor.rootGiB == 0, server.flavor.rootGiB != 0, !server.isVolumeBacked {
            throw cannot("Resize to zero disk flavor is not allowed.")
        }
        guard flavor.id != server.flavor.id else {
            throw APIError.badRequest("When resizing, instances must change flavor!")
        }
        if !server.isVolumeBacked, let image = try parts.image.describe(server.image.spec.id, in: reader) {
            try FlavorCatalog.check(flavor, fits: image, caller: caller)
        }
        let fitsRoot = flavor.rootGiB >= server.flavor.rootGiB || server.isVolumeBacked
        guard fitsRoot, flavor.ephemeralGiB >= server.flavor.ephemeralGiB else {
            throw cannot("Unable to resize disk down.")
        }
    }

    func confirmResize(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        var server = try access.findToChange(
            id, rule: "servers:confirm_resize", by: origin.permissions, in: transaction)
        try accept(.confirmResize, server)
        let migration = try finished(server, in: transaction)
        _ = try requireHost(server, in: transaction)
        try note("confirmResize", server, origin: origin, in: transaction)
        try ServerResizing(parts: parts).confirm(&server, migration, at: origin.now, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    func revertResize(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        var server = try access.findToChange(
            id, rule: "servers:revert_resize", by: origin.permissions, in: transaction)
        try accept(.revertResize, server)
        var migration = try finished(server, in: transaction)
        try parts.quotas.check(
            growth: server.flavor, to: migration.oldFlavor, of: server.project, in: transaction)
        _ = try requireHost(server, in: transaction)
        if migration.isMove { try requireWay(back: migration, of: server, in: transaction) }
        try begin(&server, "revertResize", task: .resizeReverting, origin: origin, in: transaction)
        migration.status = .reverting
        try parts.migrations.save(migration, at: origin.now, in: transaction)
        try workflow.plan(&server, .stopped, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    /// - Throws: ``APIError`` 409 unless the server can be made where it was.
    private func requireWay(
        back migration: ServerMigration, of server: ServerRecord, in reader: any SQLReader
    ) throws {
        guard let source = migration.source?.node, try parts.directory.node(source, in: reader)?.health == .up else {
            throw APIError.conflict("Service is unavailable at this time.")
        }
        guard try ServerMigrating(parts: parts).hasImage(server, in: reader) else {
            throw APIError.conflict("The image of the disk of instance \(server.id) is gone.")
        }
    }

    private func finished(_ server: ServerRecord, in reader: any SQLReader) throws -> ServerMigration {
        guard let migration = try parts.migrations.newest(of: server.id, in: reader), migration.status == .finished
        else { throw APIError.badRequest("Instance has not been resized.") }
        return migration
    }

    /// Confirms what nobody confirmed in time; each is one that its host has, and nothing else is under way with. Servers
    /// that broke meanwhile stay broken and keep one size.
    func confirmOverdue(at now: Int64, in transaction: any SQLTransaction) throws {
        for migration in try parts.migrations.stranded(in: transaction) {
            guard let server = try parts.servers.find(migration.server, in: transaction) else { continue }
            try ServerResizing(parts: parts).close(server, at: now, in: transaction)
        }
        let window = parts.settings.resizeConfirmSeconds
        guard window > 0 else { return }
        for migration in try parts.migrations.unconfirmed(since: now - window * 1_000_000, in: transaction) {
            guard var server = try parts.servers.find(migration.server, in: transaction),
                server.state.vm == .resized, server.state.task == nil
            else { continue }
            let origin = HostedOrigin(
                requestID: "req-\(AnyID.random())", user: server.user, project: server.project)
            _ = try parts.log.begin("confirmResize", on: server.key, by: origin, at: now, in: transaction)
            try ServerResizing(parts: parts).confirm(&server, migration, at: now, in: transaction)
            try parts.servers.save(&server, at: now, in: transaction)
        }
    }
}
