import CoordinatorPlatform
import ProtocolModel

/// `/os-quota-sets` and `/limits`.
struct QuotaRoutes: Sendable {
    let parts: BlockStorageParts
    private var ledger: QuotaLedger { parts.quotas.ledger }

    init(parts: BlockStorageParts) { self.parts = parts }

    var all: [Route] {
        let path = "/os-quota-sets/{target_id}"
        return [
            Route.volume(.get, path, handler: show).asking("volume_extension:quotas:show"),
            Route.volume(.get, path + "/defaults", handler: defaults).asking("volume_extension:quotas:show"),
            Route.volume(.put, path, action: "volume.quota.update", handler: update)
                .asking("volume_extension:quotas:update"),
            Route.volume(.delete, path, action: "volume.quota.delete", handler: delete)
                .asking("volume_extension:quotas:delete"),
            Route.volume(.get, "/limits", handler: limits).gated(by: "limits_extension:used_limits")
        ]
    }

    /// All that is limited, with the three limits of each type that the caller may know of.
    static func names(_ parts: BlockStorageParts, for caller: Caller, in reader: any SQLReader) throws -> [String] {
        let types =
            caller.isAdmin
            ? Array(try parts.types.names(in: reader).values)
            : try parts.types.names(openTo: caller.project, in: reader)
        return parts.settings.quotas.keys.sorted()
            + types.sorted().flatMap { type in BlockStorageQuotas.perType.map { "\($0)_\(type)" } }
    }

    /// One's own project, or any for administrators.
    private func authorize(_ call: APICall, _ rule: String) throws -> ProjectID {
        let id = call.parameter("target_id")
        // What is no identifier is nobody's project.
        let target = Policy.Target(project: ProjectID(id) ?? ProjectID(high: 0, low: 0))
        try call.authorize("volume_extension:quotas:\(rule)", target)
        guard let project = ProjectID(id) else {
            throw APIError.badRequest("Project ID \(id) is not a valid project.")
        }
        return project
    }

    private func render(
        _ names: [String], _ limits: QuotaLedger.Limits, id: String?, used: [String: Int]? = nil
    ) -> JSON {
        var out: [String: JSON] = [:]
        for name in names {
            let limit = JSON(limits[name] ?? -1)
            out[name] = used.map { ["limit": limit, "in_use": JSON($0[name] ?? 0), "reserved": 0] } ?? limit
        }
        if let id { out["id"] = .string(id) }
        return ["quota_set": .object(out)]
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "show")
        let caller = try call.requireCaller()
        let wantsUsage = try Cinder.flag("usage", call)
        let (parts, ledger) = (parts, ledger)
        let (names, limits, used) = try await call.database.read { reader in
            let names = try Self.names(parts, for: caller, in: reader)
            return (
                names, try ledger.limits(of: project, in: reader),
                wantsUsage ? try ledger.used(names, by: project, in: reader) : nil
            )
        }
        return .json(render(names, limits, id: call.parameter("target_id"), used: used))
    }

    @Sendable private func defaults(_ call: APICall) async throws -> APIResponse {
        _ = try authorize(call, "show")
        let (parts, ledger, caller) = (parts, ledger, try call.requireCaller())
        let (names, limits) = try await call.database.read { reader in
            (try Self.names(parts, for: caller, in: reader), try ledger.defaults(in: reader))
        }
        return .json(render(names, limits, id: call.parameter("target_id")))
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "update")
        let caller = try call.requireCaller()
        let body = try await call.json()
        let (parts, ledger) = (parts, ledger)
        let (names, limits) = try await call.write { transaction in
            let names = try Self.names(parts, for: caller, in: transaction)
            let wanted = try Self.schema(names).read(body, under: "quota_set", wording: Cinder.body)
            let used = try ledger.used(wanted.keys.sorted(), by: project, in: transaction)
            for (name, limit) in wanted.sorted(by: { $0.key < $1.key }) {
                let least = used[name] ?? 0
                guard limit < 0 || limit >= least || name == "per_volume_gigabytes" else {
                    throw APIError.badRequest(
                        "Quota \(name) limit must be equal or greater than existing resources. Current usage is "
                            + "\(least) and the requested limit is \(limit).")
                }
                try ledger.set(limit, of: name, for: project, in: transaction)
            }
            return (names, try ledger.limits(of: project, in: transaction))
        }
        return .json(render(names, limits, id: nil))
    }

    /// What a quota set may hold that is no limit.
    private static let others = ["tenant_id", "id"]

    static func schema(_ names: [String]) -> BodySchema<[String: Int]> {
        BodySchema(
            blank: [:],
            names.map { .optional($0, \.[$0], .integer(-1...0x7FFF_FFFF, orText: true)) }
                + others.map { .special($0) { _, _ in } })
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "delete")
        let ledger = ledger
        try await call.write { try ledger.reset(project, in: $0) }
        return .empty(200)
    }

    private static let limitNames = [
        "maxTotalVolumes": "volumes", "maxTotalSnapshots": "snapshots", "maxTotalVolumeGigabytes": "gigabytes",
        "maxTotalBackups": "backups", "maxTotalBackupGigabytes": "backup_gigabytes"
    ]
    private static let usedNames = [
        "totalVolumesUsed": "volumes", "totalSnapshotsUsed": "snapshots", "totalGigabytesUsed": "gigabytes",
        "totalBackupsUsed": "backups", "totalBackupGigabytesUsed": "backup_gigabytes"
    ]

    @Sendable private func limits(_ call: APICall) async throws -> APIResponse {
        var (caller, project) = try call.requireProject()
        // An administrator may ask for another project's.
        if caller.isAdmin, call.microversion.has(39), let text = call.query("project_id") ?? call.query("tenant_id"),
            let other = ProjectID(text)
        {
            project = other
        }
        let (whose, ledger) = (project, ledger)
        let names = Self.usedNames.values.sorted()
        let (limits, used) = try await call.database.read { reader in
            (try ledger.limits(of: whose, in: reader), try ledger.used(names, by: whose, in: reader))
        }
        let absolute = Self.limitNames.mapValues { JSON(limits[$0] ?? -1) }
            .merging(Self.usedNames.mapValues { JSON(used[$0] ?? 0) }) { first, _ in first }
        return .json(["limits": ["rate": [], "absolute": .object(absolute)]])
    }
}
