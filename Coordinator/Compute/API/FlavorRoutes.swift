import CoordinatorPlatform
import ProtocolModel

/// `/flavors` and who may use private ones.
struct FlavorRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(.get, "/v2.1/flavors") { try await list($0, isDetail: false) }.open(because: Self.reason),
            Route(.get, "/v2.1/flavors/detail") { try await list($0, isDetail: true) }.open(because: Self.reason),
            Route(.post, "/v2.1/flavors", action: "compute.flavor.create", handler: create)
                .askingCompute("os-flavor-manage:create"),
            Route(.get, "/v2.1/flavors/{flavor_id}", handler: show).open(because: Self.reason),
            Route(.put, "/v2.1/flavors/{flavor_id}", action: "compute.flavor.update", handler: update)
                .askingCompute("os-flavor-manage:update"),
            Route(.delete, "/v2.1/flavors/{flavor_id}", action: "compute.flavor.delete", handler: delete)
                .askingCompute("os-flavor-manage:delete"),
            Route(.get, "/v2.1/flavors/{flavor_id}/os-flavor-access", handler: access)
                .askingCompute("os-flavor-access"),
            Route(.post, "/v2.1/flavors/{flavor_id}/action", action: "compute.flavor.access", handler: changeAccess)
                .askingCompute("os-flavor-access:add_tenant_access", "os-flavor-access:remove_tenant_access")
        ]
    }

    private static let reason = "flavors are for everybody, as in Nova; private ones show only to whom they are for"

    private static let sortColumns: [String: String] = [
        "created_at": "created_at", "description": "COALESCE(description, '')", "ephemeral_gb": "ephemeral_gib",
        "flavorid": "flavor_id", "id": "id", "is_public": "is_public", "memory_mb": "memory_mib", "name": "name",
        "root_gb": "root_gib", "rxtx_factor": "rxtx_factor", "swap": "swap_mib", "updated_at": "created_at",
        "vcpus": "vcpus", "vcpu_weight": "id", "disabled": "id"
    ]
    private static let known: Set<String> = [
        "limit", "marker", "is_public", "minRam", "minDisk", "sort_key", "sort_dir"
    ]

    private func filter(_ call: APICall, caller: Caller) throws -> FlavorFilter {
        var filter = FlavorFilter(isPublic: true, project: caller.project)
        if caller.isAdmin, let text = call.query("is_public") {
            if text.lowercased() == "none" {
                filter.isPublic = nil
            } else if let flag = Python.boolean(text) {
                filter.isPublic = flag
                filter.project = nil
            } else {
                throw APIError.badRequest("Invalid is_public filter [\(text)]")
            }
        }
        func number(_ name: String) throws -> Int? {
            guard let text = call.query(name) else { return nil }
            guard let number = Int(text) else { throw APIError.badRequest("Invalid \(name) filter [\(text)]") }
            return number
        }
        filter.minMemoryMiB = try number("minRam")
        filter.minRootGiB = try number("minDisk")
        if let key = call.query("sort_key") {
            guard let column = Self.sortColumns[key] else {
                throw APIError.badRequest(
                    "Invalid input for query parameters sort_key. Value: \(key). '\(key)' is not one of the sort keys")
            }
            filter.sortColumn = column
        }
        if let direction = call.query("sort_dir") {
            guard direction == "asc" || direction == "desc" else {
                throw APIError.badRequest(
                    "Invalid input for query parameters sort_dir. Value: \(direction). '\(direction)' is not one of "
                        + "['asc', 'desc']")
            }
            filter.isDescending = direction == "desc"
        }
        return filter
    }

    private func list(_ call: APICall, isDetail: Bool) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let filter = try filter(call, caller: caller)
        let limit = try call.limit(most: parts.settings.pageLimit)
        try call.refuseUnknownQuery(from: 75, known: Self.known)
        let store = parts.flavors
        var flavors = try await call.database.read { try store.list(filter, in: $0) }
        if let marker = call.query("marker") {
            guard let index = flavors.firstIndex(where: { $0.id == marker }) else {
                throw APIError.badRequest("marker [\(marker)] not found")
            }
            flavors.removeSubrange(...index)
        }
        let page = Array(flavors.prefix(limit))
        let view = FlavorView(call)
        var body: [String: JSON] = ["flavors": .array(page.map { isDetail ? view.render($0) : view.basic($0) })]
        let next = call.nextLink(
            path: isDetail ? "flavors/detail" : "flavors", last: page.last?.id, count: page.count, limit: limit)
        if let next { body["flavors_links"] = next }
        return .json(.object(body))
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let rules = CatalogRules(parts: parts)
        let flavor = try await call.database.read { reader in
            try rules.flavor(call.parameter("flavor_id"), caller: caller, in: reader)
        }
        return .json(["flavor": FlavorView(call).render(flavor)])
    }

    private static func schema(_ version: Microversion) -> BodySchema {
        let most: Int64 = 0x7FFF_FFFF
        var properties: [String: BodySchema] = [
            "name": .string(.name, min: 1, max: 255),
            "id": .nullable(.oneOf([.string(.flavorID, min: 1, max: 255), .integer()])),
            "ram": .integer(min: 1, max: most), "vcpus": .integer(min: 1, max: most), "disk": .integer(max: most),
            "OS-FLV-EXT-DATA:ephemeral": .integer(max: most), "swap": .integer(max: most),
            "rxtx_factor": .number(above: 0), "os-flavor-access:is_public": .boolean
        ]
        if version.has(55) { properties["description"] = .nullable(.string(.printable, max: 65_535)) }
        return .object(
            ["flavor": .object(properties, required: ["name", "ram", "vcpus", "disk"])], required: ["flavor"])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-manage:create")
        let body = try await call.json()
        try Self.schema(call.microversion).check(body)
        let given = body["flavor"]?.objectValue ?? [:]
        var id = given["id"].map { $0.isNull ? "auto" : Python.text($0) } ?? "auto"
        if id == "auto" { id = ServerID.random().text }
        let flavor = Flavor(
            snapshot: FlavorSnapshot(
                id: id, name: given["name"]?.stringValue ?? "", vcpus: Python.integer(given["vcpus"]) ?? 1,
                memoryMiB: Python.integer(given["ram"]) ?? 1, rootGiB: Python.integer(given["disk"]) ?? 0,
                ephemeralGiB: Python.integer(given["OS-FLV-EXT-DATA:ephemeral"]) ?? 0,
                swapMiB: Python.integer(given["swap"]) ?? 0, extraSpecs: [:]),
            description: given["description"]?.stringValue,
            rxtxFactor: given["rxtx_factor"].flatMap(Python.number) ?? 1,
            isPublic: given["os-flavor-access:is_public"].flatMap(Python.boolean) ?? true, createdAt: call.now)
        let store = parts.flavors
        try await call.write(target: { _ in flavor.id }) { transaction in
            guard try store.find(flavor.id, in: transaction) == nil else {
                throw APIError.conflict("Flavor with ID \(flavor.id) already exists.")
            }
            guard try !store.exists(named: flavor.name, in: transaction) else {
                throw APIError.conflict("Flavor with name \(flavor.name) already exists.")
            }
            try store.insert(flavor, in: transaction)
        }
        return .json(["flavor": FlavorView(call).render(flavor)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        guard call.microversion.has(55) else { throw APIError.notFound("The resource could not be found.") }
        try call.authorizeCompute("os-flavor-manage:update")
        let body = try await call.json()
        let description = BodySchema.nullable(.string(.printable, max: 65_535))
        let schema = BodySchema.object(["description": description], required: ["description"])
        try BodySchema.object(["flavor": schema], required: ["flavor"]).check(body)
        let text = body["flavor"]?["description"]?.stringValue
        let store = parts.flavors
        let flavor = try await call.write { transaction in
            var flavor = try FlavorSpecRoutes.find(call, store, in: transaction)
            flavor.description = text
            try store.update(
                flavor.id, description: text, extraSpecs: flavor.snapshot.extraSpecs, in: transaction)
            return flavor
        }
        return .json(["flavor": FlavorView(call).render(flavor)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-manage:delete")
        let store = parts.flavors
        let id = call.parameter("flavor_id")
        try await call.write { transaction in
            guard try store.delete(id, in: transaction) else {
                throw APIError.notFound("Flavor \(id) could not be found.")
            }
        }
        return .empty(202)
    }

    @Sendable private func access(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-access")
        let store = parts.flavors
        let list = try await call.database.read { reader in
            let flavor = try FlavorSpecRoutes.find(call, store, in: reader)
            guard !flavor.isPublic else {
                throw APIError.notFound("Access list not available for public flavors.")
            }
            return try store.access(to: flavor.id, in: reader)
        }
        return .json(Self.render(list, call))
    }

    private static func render(_ projects: [String], _ call: APICall) -> JSON {
        let id = JSON.string(call.parameter("flavor_id"))
        return ["flavor_access": .array(projects.map { ["flavor_id": id, "tenant_id": .string($0)] })]
    }

    @Sendable private func changeAccess(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        guard let name = body.objectValue?.keys.first, ["addTenantAccess", "removeTenantAccess"].contains(name) else {
            throw APIError.badRequest("There is no such action: \(body.objectValue?.keys.sorted().first ?? "")")
        }
        let isGrant = name == "addTenantAccess"
        try call.authorizeCompute("os-flavor-access:\(isGrant ? "add_tenant_access" : "remove_tenant_access")")
        try BodySchema.object(
            [name: .object(["tenant": .string(min: 1, max: 255)], required: ["tenant"])], required: [name]
        ).check(body)
        let project = body[name]?["tenant"]?.stringValue ?? ""
        guard let id = ProjectID(project) else {
            throw APIError.badRequest("Project ID \(project) is not a valid project.")
        }
        let store = parts.flavors
        let list = try await call.write { transaction in
            let flavor = try FlavorSpecRoutes.find(call, store, in: transaction)
            if isGrant {
                try Self.grant(id.compact, flavor, call, store, in: transaction)
            } else {
                guard try store.revoke(id.compact, from: flavor.id, in: transaction) else {
                    throw APIError.notFound(
                        "Flavor access not found for \(flavor.id) / \(project) combination.")
                }
            }
            return try store.access(to: flavor.id, in: transaction)
        }
        return .json(Self.render(list, call))
    }

    private static func grant(
        _ project: String, _ flavor: Flavor, _ call: APICall, _ store: FlavorStore, in transaction: any SQLTransaction
    ) throws {
        guard !flavor.isPublic || !call.microversion.has(7) else {
            throw APIError.conflict("Can not add access to a public flavor.")
        }
        guard try store.grant(project, to: flavor.id, in: transaction) else {
            throw APIError.conflict(
                "Flavor access already exists for flavor \(flavor.id) and project \(project) combination.")
        }
    }
}

/// How flavors look, by version.
struct FlavorView: Sendable {
    private let version: Microversion
    private let links: Links

    init(_ call: APICall) {
        version = call.microversion
        links = Links(call.baseURL)
    }

    func basic(_ flavor: Flavor) -> JSON {
        var out: [String: JSON] = [
            "id": .string(flavor.id), "name": .string(flavor.name),
            "links": links.both("flavors/\(PercentCoding.encode(flavor.id))")
        ]
        if version.has(55) { out["description"] = JSON(flavor.description) }
        return .object(out)
    }

    func render(_ flavor: Flavor) -> JSON {
        guard case .object(var out) = basic(flavor) else { return .null }
        let snapshot = flavor.snapshot
        out["ram"] = JSON(snapshot.memoryMiB)
        out["disk"] = JSON(snapshot.rootGiB)
        out["vcpus"] = JSON(snapshot.vcpus)
        out["swap"] = snapshot.swapMiB == 0 && !version.has(75) ? "" : JSON(snapshot.swapMiB)
        out["OS-FLV-EXT-DATA:ephemeral"] = JSON(snapshot.ephemeralGiB)
        out["OS-FLV-DISABLED:disabled"] = false
        out["os-flavor-access:is_public"] = .bool(flavor.isPublic)
        out["rxtx_factor"] = .double(flavor.rxtxFactor)
        if version.has(61) { out["extra_specs"] = .object(snapshot.extraSpecs.mapValues(JSON.string)) }
        return .object(out)
    }
}
