import CoordinatorPlatform
import ProtocolModel

/// `/flavors` and who may use private ones.
struct FlavorRoutes: Sendable {
    let parts: ComputeParts
    private var catalog: FlavorCatalog { FlavorCatalog(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

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

    // MARK: Reading

    private static let filters: Set<String> = ["is_public", "minRam", "minDisk"]

    private static func scope(_ call: APICall, _ caller: Caller) throws -> FlavorStore.Scope {
        guard caller.isAdmin, let text = call.query("is_public") else { return .open(to: caller.project) }
        if text.lowercased() == "none" { return .all }
        guard let flag = BooleanWords.loose(text) else {
            throw APIError.badRequest("Invalid is_public filter [\(text)]")
        }
        return .alike(isPublic: flag)
    }

    private static func query(_ call: APICall, _ dialect: ListDialect) throws -> ListQuery {
        var query = try dialect.read(
            call.query, isFilter: filters.contains, isSort: FlavorStore.schema.isSort)
        query.filters = []
        for (name, attribute) in [("minRam", "memory_mb"), ("minDisk", "root_gb")] {
            guard let text = call.query(name) else { continue }
            guard Int64(text) != nil else { throw APIError.badRequest("Invalid \(name) filter [\(text)]") }
            query.filters.append(.init(attribute, .greaterOrEqual, [text]))
        }
        if query.sorts.isEmpty { query.sorts = [.init("flavorid", isAscending: call.query("sort_dir") != "desc")] }
        return query
    }

    private func list(_ call: APICall, isDetail: Bool) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let dialect = Nova.list(call, most: parts.settings.pageLimit, isSorted: true)
        let scope = try Self.scope(call, caller)
        let query = try Self.query(call, dialect)
        let store = parts.flavors
        let flavors = try await call.database.read { reader in
            try dialect.found { try store.list(query, scope, in: reader) }
        }
        let view = FlavorView(call)
        let page = ListPage(collection: "flavors", identities: flavors.map(\.id), query: query)
        return dialect.answer(page, flavors.map { isDetail ? view.render($0) : view.basic($0) }, call)
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let catalog = catalog
        let flavor = try await call.database.read { reader in
            try catalog.flavor(call.parameter("flavor_id"), caller: caller, in: reader)
        }
        return .json(["flavor": FlavorView(call).render(flavor)])
    }

    // MARK: Changing

    private struct Draft: Sendable {
        var name = ""
        /// Made where none or `auto` is given.
        var id: String?
        var vcpus = 1
        var memoryMiB = 1
        var rootGiB = 0
        var ephemeralGiB = 0
        var swapMiB = 0
        var rxtxFactor = 1.0
        var isPublic = true
        var description: String?

        static let schema = BodySchema(
            blank: Draft(),
            [
                .required("name", \.name, .text(1...255, .resourceName)),
                .required("ram", \.memoryMiB, size(1)), .required("vcpus", \.vcpus, size(1)),
                .required("disk", \.rootGiB, size(0)),
                .given("id", \.id, id.nullable), .given("OS-FLV-EXT-DATA:ephemeral", \.ephemeralGiB, size(0)),
                .given("swap", \.swapMiB, size(0)),
                .given("rxtx_factor", \.rxtxFactor, .number(above: 0, orText: true)),
                .given("os-flavor-access:is_public", \.isPublic, Nova.flag),
                .given("description", \.description, text, since: 55)
            ])
        static let text = BodyFormat.text(0...65_535, .printable).nullable
        private static let id = BodyFormat<String>.either([
            .text(1...255, .flavorID), BodyFormat<Int>.integer(0...Int.max).map { number, _ in String(number) }
        ])

        private static func size(_ least: Int) -> BodyFormat<Int> { .integer(least...0x7FFF_FFFF, orText: true) }

        func flavor(at now: Int64) -> Flavor {
            let id = id.flatMap { $0 == "auto" ? nil : $0 } ?? ServerID.random().text
            return Flavor(
                snapshot: FlavorSnapshot(
                    id: id, name: name, vcpus: vcpus, memoryMiB: memoryMiB, rootGiB: rootGiB,
                    ephemeralGiB: ephemeralGiB, swapMiB: swapMiB, extraSpecs: [:]),
                description: description, rxtxFactor: rxtxFactor, isPublic: isPublic, createdAt: now)
        }
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-manage:create")
        let draft = try Draft.schema.read(
            try await call.json(), under: "flavor", call.microversion, wording: Nova.body)
        let flavor = draft.flavor(at: call.now)
        let catalog = catalog
        try await call.write(target: { _ in flavor.id }) { try catalog.create(flavor, in: $0) }
        return .json(["flavor": FlavorView(call).render(flavor)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(call.microversion.has(55))
        try call.authorizeCompute("os-flavor-manage:update")
        let description = try BodySchema<String?>(blank: nil, [.required("description", \.self, Draft.text)])
            .read(try await call.json(), under: "flavor", wording: Nova.body)
        let catalog = catalog
        let flavor = try await call.write { transaction in
            try catalog.change(call.parameter("flavor_id"), in: transaction) { $0.description = description }
        }
        return .json(["flavor": FlavorView(call).render(flavor)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-manage:delete")
        let catalog = catalog
        try await call.write { try catalog.delete(call.parameter("flavor_id"), in: $0) }
        return .empty(202)
    }

    // MARK: Access

    @Sendable private func access(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-access")
        let catalog = catalog
        return .json(
            Self.render(
                try await call.database.read { try catalog.access(to: call.parameter("flavor_id"), in: $0) }, call))
    }

    private static func render(_ projects: [String], _ call: APICall) -> JSON {
        let id = JSON.string(call.parameter("flavor_id"))
        return ["flavor_access": .array(projects.map { ["flavor_id": id, "tenant_id": .string($0)] })]
    }

    @Sendable private func changeAccess(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        let names = body.objectValue?.keys.sorted() ?? []
        guard let name = names.first(where: ["addTenantAccess", "removeTenantAccess"].contains) else {
            throw APIError.badRequest("There is no such action: \(names.first ?? "")")
        }
        let isGrant = name == "addTenantAccess"
        try call.authorizeCompute("os-flavor-access:\(isGrant ? "add_tenant_access" : "remove_tenant_access")")
        let text = try BodySchema(blank: "", [.required("tenant", \.self, .text(1...255))])
            .read(body, under: name, wording: Nova.body)
        guard let project = ProjectID(text) else {
            throw APIError.badRequest("Project ID \(text) is not a valid project.")
        }
        let catalog = catalog
        let list = try await call.write { transaction in
            let id = call.parameter("flavor_id")
            return try isGrant
                ? catalog.grant(project, to: id, isStrict: call.microversion.has(7), in: transaction)
                : catalog.revoke(project, from: id, in: transaction)
        }
        return .json(Self.render(list, call))
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
