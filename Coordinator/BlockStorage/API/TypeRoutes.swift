import CoordinatorPlatform
import ProtocolModel

/// `/types` and who may use private ones.
struct TypeRoutes: Sendable {
    let parts: BlockStorageParts
    private var catalog: TypeCatalog { TypeCatalog(parts: parts) }

    init(parts: BlockStorageParts) { self.parts = parts }

    var all: [Route] {
        [
            Route.volume(.get, "/types", handler: list).gated(by: "volume_extension:type_get_all").asking(Self.shown),
            Route.volume(.post, "/types", action: "volume.type.create", handler: create)
                .asking("volume_extension:type_create").asking(Self.shown),
            Route.volume(.get, "/types/{type_id}", handler: show).gated(by: "volume_extension:type_get")
                .asking(Self.shown),
            Route.volume(.put, "/types/{type_id}", action: "volume.type.update", handler: update)
                .asking("volume_extension:type_update").asking(Self.shown),
            Route.volume(.delete, "/types/{type_id}", action: "volume.type.delete", handler: delete)
                .asking("volume_extension:type_delete"),
            Route.volume(.get, "/types/{type_id}/os-volume-type-access", handler: access)
                .gated(by: "volume_extension:volume_type_access:get_all_for_type"),
            Route.volume(.post, "/types/{type_id}/action", action: "volume.type.access", handler: changeAccess)
                .asking(
                    "volume_extension:volume_type_access:addProjectAccess",
                    "volume_extension:volume_type_access:removeProjectAccess")
        ]
    }

    /// Rules that decide what of a type is shown.
    private static let shown = [
        "volume_extension:access_types_extra_specs", "volume_extension:types_extra_specs:read_sensitive",
        "volume_extension:access_types_qos_specs_id", "volume_extension:volume_type_access"
    ]

    // MARK: Reading

    static func specs(_ type: VolumeType, _ call: APICall) -> [String: String] {
        call.isAllowed("volume_extension:types_extra_specs:read_sensitive")
            ? type.extraSpecs : type.extraSpecs.filter { VolumeType.openSpecs.contains($0.key) }
    }

    private enum Moment { case shown, made, changed }

    private static func render(_ type: VolumeType, _ call: APICall, _ moment: Moment = .shown) -> JSON {
        var out: [String: JSON] = [
            "id": .string(type.id.text), "name": .string(type.name), "is_public": .bool(type.isPublic),
            "description": JSON(type.description)
        ]
        let target = Policy.Target(project: call.caller?.project)
        if call.isAllowed("volume_extension:access_types_extra_specs", target) {
            out["extra_specs"] = .object(specs(type, call).mapValues(JSON.string))
        }
        if moment == .shown, call.isAllowed("volume_extension:access_types_qos_specs_id") {
            out["qos_specs_id"] = JSON(type.qosSpecs?.text)
        }
        if moment != .changed, call.isAllowed("volume_extension:volume_type_access", target) {
            out["os-volume-type-access:is_public"] = .bool(type.isPublic)
        }
        return .object(out)
    }

    /// Public ones and those open to the caller; administrators choose with `is_public`.
    private static func scope(_ call: APICall) throws -> TypeScope {
        let caller = try call.requireCaller()
        guard caller.isAdmin else { return .open(to: caller.project) }
        guard let text = call.query("is_public") else { return .alike(isPublic: true) }
        if text.lowercased() == "none" { return .all }
        guard let flag = BooleanWords.loose(text) else {
            throw BlockStorageError.input("Invalid is_public filter [\(text)]")
        }
        return .alike(isPublic: flag)
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let dialect = Cinder.list(most: parts.settings.pageLimit, refuses: false, path: "types")
        let visible = try Self.scope(call).condition
        var query = try dialect.read(
            try Cinder.parameters(call),
            isFilter: { $0 == "name" || ($0 == "extra_specs" && call.microversion.has(52)) },
            isSort: BlockStorageLists.types.isSort)
        query.filters.removeAll { $0.name == "is_public" }
        let (wanted, offset, store) = (query, try Cinder.offset(call), parts.types)
        let types = try await call.database.read { reader in
            try dialect.found { try store.list(wanted, visible: visible, skipping: offset, in: reader) }
        }
        let page = ListPage(collection: "volume_types", identities: types.map(\.id.text), query: wanted)
        var response = dialect.answer(page, types.map { Self.render($0, call) }, call)
        if case .json(.object(var members)) = response.body,
            let links = members.removeValue(forKey: "volume_types_links")
        {
            // Cinder's own spelling.
            members["volume_type_links"] = links
            response.body = .json(.object(members))
        }
        return response
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let catalog = catalog
        let type = try await call.database.read { reader in
            let id = call.parameter("type_id")
            return id == "default"
                ? try catalog.defaultType(of: caller.project, in: reader)
                : try catalog.type(id, caller: caller, in: reader)
        }
        return .json(["volume_type": Self.render(type, call)])
    }

    // MARK: Changing

    private struct Draft: Sendable {
        var name: String?
        var description: String?
        var isPublic: Bool?
        var extraSpecs: [String: String] = [:]

        static let creation = BodySchema(
            blank: Draft(),
            [
                .required("name", \.name, name), .given("description", \.description, text),
                .given("extra_specs", \.extraSpecs, TypeSpecRoutes.specs),
                .optional("os-volume-type-access:is_public", \.isPublic, Cinder.flag)
            ])
        static let change = BodySchema(
            blank: Draft(),
            [
                .given("name", \.name, BodyFormat.text(1...255).nullable), .given("description", \.description, text),
                .optional("is_public", \.isPublic, Cinder.flag)
            ])
        private static let text = BodyFormat.text(0...255).nullable
        private static let name = BodyFormat.text(
            1...255, TextRule(.pattern("^(?! ).*(?<! )$")) { !$0.trimmingBlanks.isEmpty && !$0.hasOuterSpace }
        ).map { name, _ in Optional(name) }
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:type_create")
        let draft = try Draft.creation.read(try await call.json(), under: "volume_type", wording: Cinder.body)
        let type = VolumeType(
            id: .random(), name: draft.name ?? "", description: draft.description, isPublic: draft.isPublic ?? true,
            extraSpecs: draft.extraSpecs, createdAt: call.now)
        let catalog = catalog
        try await call.write(target: { _ in type.id.text }) { try catalog.create(type, in: $0) }
        return .json(["volume_type": Self.render(type, call, .made)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:type_update")
        let draft = try Draft.change.read(try await call.json(), under: "volume_type", wording: Cinder.body)
        if let name = draft.name, name.trimmingBlanks.isEmpty {
            throw APIError.badRequest("Volume type name can not be empty.")
        }
        guard draft.name != nil || draft.description != nil || draft.isPublic != nil else {
            throw APIError.badRequest(
                "Specify volume type name, description, is_public or a combination thereof.")
        }
        let catalog = catalog
        let type = try await call.write(target: { _ in call.parameter("type_id") }) { transaction in
            try catalog.change(call.parameter("type_id"), at: call.now, in: transaction) { type in
                if let name = draft.name { type.name = String(name.trimmingBlanks) }
                if let description = draft.description { type.description = description }
                if let isPublic = draft.isPublic { type.isPublic = isPublic }
            }
        }
        return .json(["volume_type": Self.render(type, call, .changed)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:type_delete")
        let catalog = catalog
        try await call.write { try catalog.delete(call.parameter("type_id"), in: $0) }
        return .empty(202)
    }

    // MARK: Access

    @Sendable private func access(_ call: APICall) async throws -> APIResponse {
        let catalog = catalog
        let projects = try await call.database.read {
            try catalog.access(to: call.parameter("type_id"), in: $0)
        }
        let id = JSON.string(call.parameter("type_id"))
        return .json([
            "volume_type_access": .array(projects.map { ["volume_type_id": id, "project_id": .string($0)] })
        ])
    }

    @Sendable private func changeAccess(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        let names = body.objectValue?.keys.sorted() ?? []
        guard let name = names.first, ["addProjectAccess", "removeProjectAccess"].contains(name) else {
            throw APIError.badRequest("There is no such action: \(names.first ?? "")")
        }
        try call.authorize("volume_extension:volume_type_access:\(name)")
        let text = try BodySchema(blank: "", [.required("project", \.self, .text(1...255))])
            .read(body, under: name, wording: Cinder.body)
        guard let project = ProjectID(text) else {
            throw APIError.badRequest("Project ID \(text) is not a valid project.")
        }
        let catalog = catalog
        try await call.write(target: { _ in call.parameter("type_id") }) { transaction in
            let id = call.parameter("type_id")
            if name == "addProjectAccess" {
                try catalog.grant(project, to: id, in: transaction)
            } else {
                try catalog.revoke(project, from: id, in: transaction)
            }
        }
        return .empty(202)
    }
}
