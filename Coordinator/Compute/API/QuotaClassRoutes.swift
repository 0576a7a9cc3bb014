import CoordinatorPlatform
import ProtocolModel

/// `/os-quota-class-sets`: the limits of projects that have none of their own. There is the one class, `default`.
struct QuotaClassRoutes: Sendable {
    let parts: ComputeParts
    private var ledger: QuotaLedger { parts.quotas.ledger }

    init(parts: ComputeParts) { self.parts = parts }

    var all: [Route] {
        let path = "/v2.1/os-quota-class-sets/{class}"
        return [
            Route(.get, path, handler: show).gatedCompute(by: "os-quota-class-sets:show"),
            Route(.put, path, action: "compute.quota_class.update", handler: update)
                .gatedCompute(by: "os-quota-class-sets:update")
        ]
    }

    private static let groupNames: Set<String> = ["server_groups", "server_group_members"]

    /// Networks left at 2.50, where server groups came, and files at 2.57.
    private func names(_ version: Microversion) -> [String] {
        ledger.defaults.keys.filter { name in
            if QuotaRoutes.networkNames.contains(name) { return !version.has(50) }
            if QuotaRoutes.fileNames.contains(name) { return !version.has(57) }
            return version.has(50) || !Self.groupNames.contains(name)
        }
    }

    private func render(_ limits: QuotaLedger.Limits, id: String?, _ version: Microversion) -> JSON {
        var out: [String: JSON] = [:]
        for name in names(version) { out[name] = JSON(limits[name] ?? -1) }
        out["id"] = id.map(JSON.string)
        return ["quota_class_set": .object(out)]
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let ledger = ledger
        let limits = try await call.database.read { try ledger.defaults(in: $0) }
        return .json(render(limits, id: call.parameter("class"), call.microversion))
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        guard call.parameter("class") == QuotaLedger.defaultClass else {
            throw APIError.badRequest(
                "There is one quota class, 'default': it has the limits of all projects without limits of their own.")
        }
        let limits = try BodySchema<[String: Int]>(
            blank: [:],
            names(call.microversion).sorted().map {
                .optional($0, \.[$0], .integer(-1...0x7FFF_FFFF, orText: true))
            }
        ).read(try await call.json(), under: "quota_class_set", wording: Nova.body)
        let ledger = ledger
        let all = try await call.write { transaction in
            for (name, limit) in limits.sorted(by: { $0.key < $1.key }) {
                try ledger.setDefault(limit, of: name, in: transaction)
            }
            return try ledger.defaults(in: transaction)
        }
        return .json(render(all, id: nil, call.microversion))
    }
}
