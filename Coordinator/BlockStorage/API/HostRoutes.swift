import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Hosts and what they can do, as administrators of Cinder look at them: `/os-hosts`, `/capabilities`, `/clusters`,
/// `/workers`; `/resource_filters`; `/os-quota-class-sets`.
struct HostRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] {
        [
            Route.volume(.get, "/os-hosts", handler: hosts).gated(by: "volume_extension:hosts"),
            Route.volume(.get, "/os-hosts/{host}", handler: host).gated(by: "volume_extension:hosts"),
            Route.volume(.get, "/capabilities/{host}", handler: capabilities)
                .gated(by: "volume_extension:capabilities"),
            Route.volume(.get, "/clusters", handler: clusters).gated(by: "clusters:get_all"),
            Route.volume(.get, "/clusters/detail", handler: clusters).gated(by: "clusters:get_all"),
            Route.volume(.get, "/clusters/{host}", handler: cluster).gated(by: "clusters:get"),
            Route.volume(.post, "/workers/cleanup", action: "volume.workers.cleanup", handler: workers)
                .asking("workers:cleanup"),
            Route.volume(.get, "/resource_filters", handler: filters)
                .open(because: "everybody may look at what lists are filtered by, as in Cinder"),
            Route.volume(.get, "/os-quota-class-sets/{class}", handler: quotaClass)
                .gated(by: "volume_extension:quota_classes:get"),
            Route.volume(
                .put, "/os-quota-class-sets/{class}", action: "volume.quota_class.update", handler: updateClass
            )
            .asking("volume_extension:quota_classes:update")
        ]
    }

    private func places(_ call: APICall) async throws -> [PoolPlace] {
        let parts = parts
        return try await call.database.read { try parts.pools(in: $0) }
    }

    private static func name(_ place: PoolPlace) -> String { "\(place.node.hostname)@\(place.pool.name)" }

    // MARK: Hosts

    @Sendable private func hosts(_ call: APICall) async throws -> APIResponse {
        let zone = call.query("zone")
        let shown = try await places(call).filter { zone == nil || parts.zone(of: $0.node) == zone }
        return .json([
            "hosts": .array(
                shown.map { place in
                    [
                        "host_name": .string(Self.name(place)), "service": "cinder-volume",
                        "zone": .string(parts.zone(of: place.node)),
                        "service-status": place.node.health == .down ? "unavailable" : "available",
                        "service-state": place.node.isEnabled ? "enabled" : "disabled",
                        "last-update": volumeTime(place.node.lastSeen)
                    ]
                })
        ])
    }

    /// What is on a host, in all and by project.
    @Sendable private func host(_ call: APICall) async throws -> APIResponse {
        let name = call.parameter("host")
        guard let place = try await places(call).first(where: { Self.name($0) == name || $0.node.hostname == name })
        else { throw APIError.notFound("Host \(name) could not be found.") }
        let parts = parts
        let load = try await call.database.read { reader in
            (
                try parts.volumes.load(in: reader).filter { $0.node == place.node.id },
                try parts.snapshots.on(place.node.id, in: reader).filter { !$0.isDeleted }
            )
        }
        func resource(_ project: String, _ volumes: (Int, Int), _ snapshots: [SnapshotRecord]) -> JSON {
            [
                "resource": [
                    "host": .string(name), "project": .string(project), "volume_count": .string(String(volumes.0)),
                    "total_volume_gb": .string(String(volumes.1)),
                    "snapshot_count": .string(String(snapshots.count)),
                    "total_snapshot_gb": .string(String(snapshots.reduce(0) { $0 + $1.sizeGiB }))
                ]
            ]
        }
        let all = load.0.reduce((0, 0)) { ($0.0 + $1.count, $0.1 + $1.sizeGiB) }
        let each = load.0.map { part in
            resource(part.project.compact, (part.count, part.sizeGiB), load.1.filter { $0.project == part.project })
        }
        return .json(["host": .array([resource("(total)", all, load.1)] + each)])
    }

    @Sendable private func capabilities(_ call: APICall) async throws -> APIResponse {
        let name = call.parameter("host")
        guard
            let place = try await places(call).first(where: {
                Self.name($0) == name || $0.name == name || $0.node.hostname == name
            })
        else { throw APIError.notFound("Service cinder-volume could not be found on host \(name).") }
        func property(_ title: String, _ description: String) -> JSON {
            ["title": .string(title), "description": .string(description), "type": "boolean"]
        }
        return .json([
            "namespace": .string("OS::Storage::Capabilities::\(Self.name(place))"), "vendor_name": "Skerry",
            "volume_backend_name": .string(place.pool.name), "pool_name": .string(place.pool.name),
            "driver_version": "1.0", "storage_protocol": .string(place.pool.backend), "display_name": .null,
            "description": .null, "visibility": .null, "replication_targets": [],
            "properties": [
                "thin_provisioning": property("Thin Provisioning", "Space is taken as it is written."),
                "qos": property("QoS", "Guests' hosts keep to limits of speed.")
            ]
        ])
    }

    // MARK: What there is none of

    @Sendable private func clusters(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(7)
        return .json(["clusters": []])
    }

    @Sendable private func cluster(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(7)
        throw APIError.notFound("Cluster \(call.parameter("host")) could not be found.")
    }

    /// Every task has a deadline of its own: there is nothing left behind to clean up.
    @Sendable private func workers(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(24)
        try call.authorize("workers:cleanup")
        _ = try await call.json()
        try await call.write { _ in }
        return .json(["cleaning": [], "unavailable": []], status: 202)
    }

    // MARK: Filters

    private static let resources: [(name: String, filters: VolumeListQuery.Filters)] = [
        ("volume", VolumeListQuery.volumes), ("snapshot", VolumeListQuery.snapshots),
        ("attachment", VolumeListQuery.attachments)
    ]
    private static let others: [String: [String]] = [
        "backup": [], "group": [], "group_snapshot": [],
        "message": ["message_level", "request_id", "resource_type", "resource_uuid"], "pool": ["name"],
        "volume_type": ["extra_specs", "is_public"]
    ]

    @Sendable private func filters(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(33)
        var all = Self.others
        for (name, filters) in Self.resources { all[name] = filters.open.keys.sorted() }
        if let resource = call.query("resource") { all = all.filter { $0.key == resource } }
        return .json([
            "resource_filters": .array(
                all.sorted { $0.key < $1.key }.map {
                    ["resource": .string($0.key), "filters": .array($0.value.map(JSON.string))]
                })
        ])
    }

    // MARK: Quota classes

    private static func render(_ names: [String], _ limits: QuotaLedger.Limits, id: String?) -> JSON {
        var out: [String: JSON] = [:]
        for name in names { out[name] = JSON(limits[name] ?? -1) }
        if let id { out["id"] = .string(id) }
        return ["quota_class_set": .object(out)]
    }

    /// There is one, `default`: the limits of projects that have none of their own.
    @Sendable private func quotaClass(_ call: APICall) async throws -> APIResponse {
        let (parts, caller) = (parts, try call.requireCaller())
        let (names, limits) = try await call.database.read { reader in
            (try QuotaRoutes.names(parts, for: caller, in: reader), try parts.quotas.ledger.defaults(in: reader))
        }
        return .json(Self.render(names, limits, id: call.parameter("class")))
    }

    @Sendable private func updateClass(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:quota_classes:update")
        guard call.parameter("class") == QuotaLedger.defaultClass else {
            throw APIError.badRequest(
                "There is one quota class, 'default': it has the limits of all projects without limits of their own.")
        }
        let body = try await call.json()
        let (parts, caller) = (parts, try call.requireCaller())
        let (names, limits) = try await call.write { transaction in
            let names = try QuotaRoutes.names(parts, for: caller, in: transaction)
            let ledger = parts.quotas.ledger
            let wanted = try QuotaRoutes.schema(names).read(body, under: "quota_class_set", wording: Cinder.body)
            for (name, limit) in wanted.sorted(by: { $0.key < $1.key }) {
                try ledger.setDefault(limit, of: name, in: transaction)
            }
            return (names, try ledger.defaults(in: transaction))
        }
        return .json(Self.render(names, limits, id: nil))
    }
}
