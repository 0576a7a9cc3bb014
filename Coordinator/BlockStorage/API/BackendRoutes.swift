import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Where volumes are kept, as the volume API shows it: services, pools, availability zones; and what there is of it.
struct BackendRoutes: Sendable {
    let parts: BlockStorageParts
    private static let binary = "cinder-volume"
    private static let reason = "everybody may look at what there is, as in Cinder"

    var all: [Route] {
        [
            Route.volume(.get, "/os-availability-zone", handler: zones).open(because: Self.reason),
            Route.volume(.get, "/extensions", handler: extensions).open(because: Self.reason),
            Route.volume(.get, "/extensions/{alias}", handler: oneExtension).open(because: Self.reason),
            Route.volume(.get, "/os-services", handler: services).gated(by: "volume_extension:services:index"),
            Route.volume(.put, "/os-services/{verb}", action: "volume.service.update", handler: changeService)
                .asking("volume_extension:services:update"),
            Route.volume(.get, "/scheduler-stats/get_pools", handler: pools)
                .gated(by: "scheduler_extension:scheduler_stats:get_pools")
        ]
    }

    private func places(_ call: APICall) async throws -> [PoolPlace] {
        let parts = parts
        return try await call.database.read { try parts.pools(in: $0) }
    }

    /// A zone is available while one of its hosts can be used.
    @Sendable private func zones(_ call: APICall) async throws -> APIResponse {
        let places = try await places(call)
        var zones = [parts.settings.defaultZone: false]
        for place in places {
            zones[parts.zone(of: place.node), default: false] =
                zones[parts.zone(of: place.node)] ?? false || (place.node.isEnabled && place.node.health != .down)
        }
        // The default zone is there in name even where no host is in it.
        if !places.contains(where: { parts.zone(of: $0.node) == parts.settings.defaultZone }), !places.isEmpty {
            zones[parts.settings.defaultZone] = nil
        }
        return .json([
            "availabilityZoneInfo": .array(
                zones.sorted { $0.key < $1.key }.map {
                    ["zoneName": .string($0.key), "zoneState": ["available": .bool($0.value)]]
                })
        ])
    }

    // MARK: Services

    private func render(_ place: PoolPlace, _ version: Microversion) -> JSON {
        let node = place.node
        var out: [String: JSON] = [
            "binary": .string(Self.binary), "host": .string("\(node.hostname)@\(place.pool.name)"),
            "zone": .string(parts.zone(of: node)), "status": node.isEnabled ? "enabled" : "disabled",
            "state": node.health == .down ? "down" : "up", "updated_at": volumeTime(node.lastSeen),
            "disabled_reason": JSON(node.disabledReason), "replication_status": "disabled", "active_backend_id": .null,
            "frozen": false
        ]
        if version.has(7) { out["cluster"] = .null }
        if version.has(49) { out["backend_state"] = place.pool.problem.isEmpty ? "up" : "down" }
        return .object(out)
    }

    @Sendable private func services(_ call: APICall) async throws -> APIResponse {
        let (host, binary) = (call.query("host") ?? "", call.query("binary") ?? "")
        let shown = try await places(call).filter { place in
            let name = "\(place.node.hostname)@\(place.pool.name)"
            return (host.isEmpty || host == name || host == place.node.hostname)
                && (binary.isEmpty || binary == Self.binary)
        }
        return .json(["services": .array(shown.map { render($0, call.microversion) })])
    }

    private struct Draft: Sendable {
        var host = ""
        var binary: String?
        var service: String?
        var reason: String?
        var cluster: String?

        static let schema = BodySchema(
            blank: Draft(),
            [
                .required("host", \.host, .text(1...255)), .optional("binary", \.binary, .text(1...255)),
                .optional("service", \.service, .text(1...255)),
                .given("disabled_reason", \.reason, BodyFormat.text(1...255).nullable),
                .given("cluster", \.cluster, BodyFormat.text(1...255).nullable)
            ])
    }

    /// A host is enabled and disabled as a whole: for servers as for volumes.
    @Sendable private func changeService(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:services:update")
        let verb = call.parameter("verb")
        let known = ["enable", "disable", "disable-log-reason"]
        guard known.contains(verb) else {
            if ["freeze", "thaw", "failover_host", "failover", "get-log", "set-log"].contains(verb) {
                throw APIError.badRequest("'\(verb)' is not supported: hosts have no replicas and one log.")
            }
            throw APIError.notFound("Unknown action")
        }
        let draft = try Draft.schema.read(try await call.json(), wording: Cinder.body)
        guard let binary = draft.binary ?? draft.service else {
            throw APIError.badRequest("Missing required element 'binary' in request body.")
        }
        if verb == "disable-log-reason", draft.reason == nil {
            throw APIError.badRequest("Disabled reason contains invalid characters or is too long.")
        }
        let reason = verb == "disable-log-reason" ? draft.reason : nil
        let directory = parts.directory
        try await call.write(target: { _ in draft.host }) { transaction in
            let name = draft.host.split(separator: "@").first.map(String.init) ?? ""
            guard binary == Self.binary,
                let node = try directory.nodes(in: transaction).first(where: {
                    $0.hostname == name && !($0.report?.pools ?? []).isEmpty
                })
            else { throw APIError.notFound("Service \(binary) could not be found on host \(draft.host).") }
            try directory.setEnabled(
                verb == "enable", reason: reason, node: node.id, at: call.now, in: transaction)
        }
        var out: [String: JSON] = [
            "host": .string(draft.host), "service": .string(binary), "binary": .string(binary),
            "disabled": .bool(verb != "enable"), "status": verb == "enable" ? "enabled" : "disabled"
        ]
        if verb != "disable" { out["disabled_reason"] = JSON(reason) }
        return .json(.object(out))
    }

    // MARK: Pools

    @Sendable private func pools(_ call: APICall) async throws -> APIResponse {
        let isDetail = try Cinder.flag("detail", call)
        let name = call.microversion.has(28) ? call.query("name") : nil
        let shown = try await places(call).filter { name == nil || $0.name == name }
        return .json(["pools": .array(shown.map { isDetail ? Self.detail($0) : ["name": .string($0.name)] })])
    }

    private static func detail(_ place: PoolPlace) -> JSON {
        let pool = place.pool
        return [
            "name": .string(place.name),
            "capabilities": [
                "volume_backend_name": .string(pool.name), "pool_name": .string(pool.name),
                "vendor_name": "Skerry", "driver_version": "1.0", "storage_protocol": .string(pool.backend),
                "total_capacity_gb": JSON(pool.totalGiB), "free_capacity_gb": JSON(pool.freeGiB),
                "provisioned_capacity_gb": JSON(pool.provisionedGiB),
                "allocated_capacity_gb": JSON(pool.provisionedGiB),
                "reserved_percentage": 0, "max_over_subscription_ratio": "20.0", "thin_provisioning_support": true,
                "thick_provisioning_support": false, "multiattach": true, "QoS_support": true,
                "backend_state": pool.problem.isEmpty ? "up" : "down", "location_info": "",
                "timestamp": volumeTime(place.node.lastSeen)
            ]
        ]
    }

    // MARK: Extensions

    private static let aliases = [
        "os-admin-actions": "AdminActions", "os-availability-zone": "AvailabilityZones",
        "os-extended-snapshot-attributes": "ExtendedSnapshotAttributes", "os-quota-sets": "Quotas",
        "os-hosts": "Hosts", "os-services": "Services", "os-types-extra-specs": "TypesExtraSpecs",
        "os-types-manage": "TypesManage",
        "os-used-limits": "UsedLimits", "os-vol-host-attr": "VolumeHostAttribute",
        "os-vol-image-meta": "VolumeImageMetadata", "os-vol-mig-status-attr": "VolumeMigStatusAttribute",
        "os-vol-tenant-attr": "VolumeTenantAttribute", "os-volume-actions": "VolumeActions",
        "os-volume-encryption-metadata": "VolumeEncryptionMetadata", "os-volume-type-access": "VolumeTypeAccess",
        "scheduler-stats": "Scheduler_stats"
    ]

    private static func render(_ alias: String, _ name: String) -> JSON {
        [
            "alias": .string(alias), "name": .string(name), "description": .string(name), "links": [],
            "updated": "2013-07-20T00:00:00+00:00"
        ]
    }

    @Sendable private func extensions(_ call: APICall) async throws -> APIResponse {
        .json([
            "extensions": .array(Self.aliases.sorted { $0.key < $1.key }.map { Self.render($0.key, $0.value) })
        ])
    }

    @Sendable private func oneExtension(_ call: APICall) async throws -> APIResponse {
        let alias = call.parameter("alias")
        guard let name = Self.aliases[alias] else { throw APIError.notFound("The resource could not be found.") }
        return .json(["extension": Self.render(alias, name)])
    }
}
