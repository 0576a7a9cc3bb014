import CoordinatorPlatform
import ProtocolModel

/// What projects may have of this slice's, and its refusals in the compute API's words.
package struct ComputeQuotas: Sendable {
    package let ledger: QuotaLedger

    package init(
        settings: ComputeSettings, servers: ServerStore, groups: ServerGroupStore = ServerGroupStore(),
        migrations: ServerMigrationStore = ServerMigrationStore()
    ) {
        ledger = QuotaLedger(
            service: "compute",
            settings.quotas.sorted { $0.key < $1.key }.map { name, limit in
                guard name == "server_groups" else { return QuotaLedger.Resource(name, defaultLimit: limit) }
                return QuotaLedger.Resource(name, defaultLimit: limit) { try groups.count(of: $0, in: $1) }
            },
            counts: { project, reader in
                // Whoever asks while a server is on its way to a larger size finds that taken.
                try migrations.underWay(of: project, in: reader).reduce(
                    into: servers.usage(of: project, in: reader)
                ) { usage, migration in
                    guard let server = try servers.find(migration.server, in: reader), !server.isDeleted else { return }
                    usage.merge(migration.reserved(beside: server.flavor), uniquingKeysWith: +)
                }
            })
    }

    /// How many servers the call may make: all it asks for, else as many as fit if that is enough for it.
    /// - Throws: ``APIError`` 403.
    package func grant(
        _ command: CreateServer, flavor: FlavorSnapshot, project: ProjectID, in transaction: any SQLTransaction
    ) throws -> Int {
        try check(metadata: command.metadata.count, of: project, in: transaction)
        let demands: [QuotaLedger.Demand] = [
            .init("instances"), .init("cores", flavor.vcpus), .init("ram", flavor.memoryMiB)
        ]
        do {
            return try ledger.grant(
                demands, atLeast: command.minCount, atMost: command.maxCount, for: project, in: transaction)
        } catch let error as QuotaExceeded { throw Self.refusal(error) }
    }

    /// Whether a server may become larger; what it has already counts.
    /// - Throws: ``APIError`` 403.
    package func check(
        growth old: FlavorSnapshot, to new: FlavorSnapshot, of project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        let demands: [QuotaLedger.Demand] = [
            .init("cores", new.vcpus - old.vcpus), .init("ram", new.memoryMiB - old.memoryMiB)
        ]
        try claim(demands.filter { $0.amount > 0 }, for: project, in: transaction)
    }

    /// - Throws: ``APIError`` 403.
    package func claim(
        _ demands: [QuotaLedger.Demand], for project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        do {
            _ = try ledger.grant(demands, atLeast: 1, atMost: 1, for: project, in: transaction)
        } catch let error as QuotaExceeded { throw Self.refusal(error) }
    }

    /// - Throws: ``APIError`` 403.
    package func check(metadata count: Int, of project: ProjectID, in reader: any SQLReader) throws {
        let limit = try ledger.limit("metadata_items", of: project, in: reader)
        guard limit < 0 || count <= limit else {
            throw APIError.forbidden("Maximum number of metadata items exceeds \(limit)")
        }
    }

    /// - Parameter count: What the user has of keypairs, which belong to no project; the limit is the caller's project's.
    /// - Throws: ``APIError`` 403.
    package func check(keypairs count: Int, of project: ProjectID?, in reader: any SQLReader) throws {
        let limit =
            try project.map { try ledger.limit("key_pairs", of: $0, in: reader) }
            ?? ledger.defaults(in: reader)["key_pairs"] ?? -1
        guard limit < 0 || count < limit else { throw APIError.forbidden("Quota exceeded, too many key pairs.") }
    }

    private static func refusal(_ error: QuotaExceeded) -> APIError {
        func join(_ part: (QuotaExceeded.Excess) -> String) -> String {
            error.excesses.map(part).joined(separator: ", ")
        }
        return .forbidden(
            "Quota exceeded for \(join(\.name)): Requested \(join { String($0.wanted) }), but already used "
                + "\(join { String($0.used) }) of \(join { String($0.limit) }) \(join(\.name))")
    }
}
