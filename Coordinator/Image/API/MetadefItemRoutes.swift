import CoordinatorPlatform

/// Metadata definitions: a namespace's objects, properties and tags.
extension ImageAPI {
    private typealias Kind = MetadefItem.Kind

    var metadefItemRoutes: [Route] {
        [MetadefItem.Kind.object, .property, .tag].flatMap { sharedRoutes($0) + creatingRoutes($0) } + [
            Route(.get, Kind.object.path) { try await listItems($0, .object) }
                .asking("get_metadef_objects", "get_metadef_namespace"),
            Route(.get, Kind.property.path, handler: listProperties)
                .asking("get_metadef_properties", "get_metadef_namespace"),
            Route(.get, Kind.tag.path) { try await listItems($0, .tag) }
                .asking("get_metadef_tags", "get_metadef_namespace")
        ]
    }

    /// What is the same for all kinds.
    private func sharedRoutes(_ kind: MetadefItem.Kind) -> [Route] {
        let (name, action) = (kind.rawValue, "image.metadef_\(kind.rawValue)")
        let show = Route(.get, kind.memberPath) { try await showItem($0, kind) }
            .asking("get_metadef_\(name)", "get_metadef_namespace")
        let clear = Route(.delete, kind.path, action: "\(action).delete_all") { call in
            try await write(call) {
                try service.metadefs.deleteAll(kind, of: call.parameter("namespace"), as: $0, in: $1)
            }
            return .empty(204)
        }.asking("delete_metadef_namespace", "get_metadef_namespace")
        return [
            kind == .property ? show.asking("list_metadef_resource_types", "get_metadef_resource_type") : show,
            kind == .tag ? clear.asking("delete_metadef_tags") : clear,
            Route(.put, kind.memberPath, action: "\(action).update") { try await updateItem($0, kind) }
                .asking("modify_metadef_\(name)", "get_metadef_namespace"),
            Route(.delete, kind.memberPath, action: "\(action).delete") { try await deleteItem($0, kind) }
                .asking(kind.deletionRule, "get_metadef_namespace")
        ]
    }

    /// Tags are made by their path alone, or many at once.
    private func creatingRoutes(_ kind: MetadefItem.Kind) -> [Route] {
        let rule = "add_metadef_\(kind.rawValue)"
        guard kind == .tag else {
            return [
                Route(.post, kind.path, action: "image.metadef_\(kind.rawValue).create") { call in
                    try await createItem(call, try MetadefBody.item(kind, try await call.json(), at: call.now))
                }.asking(rule, "get_metadef_namespace")
            ]
        }
        return [
            Route(.post, kind.path, action: "image.metadef_tag.set", handler: setTags)
                .asking("add_metadef_tags", "get_metadef_namespace"),
            Route(.post, kind.memberPath, action: "image.metadef_tag.create") { call in
                let body: JSON = ["name": .string(call.parameter("tag"))]
                return try await createItem(call, try MetadefBody.item(.tag, body, at: call.now))
            }.asking(rule, "get_metadef_namespace")
        ]
    }

    // MARK: - Lists

    private func listItems(_ call: APICall, _ kind: MetadefItem.Kind) async throws -> APIResponse {
        let name = call.parameter("namespace")
        let dialect = ListDialect.glance(
            path: "", schema: "", limitDefault: nil, limitMaximum: service.metadata.listLimitMaximum,
            ending: ["name"], sortKeys: ["created_at", "updated_at", "name"],
            unknownMarker: { MetadefError.noItem(kind, $0, name) })
        let query = try dialect.read(call.givenQuery, MetadefItem.list)
        let items = try await read(call) { access, reader in
            try dialect.found {
                try service.metadefs.items(
                    kind, of: name, query, for: "get_metadef_\(kind.plural)", as: access, in: reader)
            }
        }
        guard kind == .object else { return .json(MetadefBody.names(tags: items)) }
        return .json([
            "objects": .array(items.map { MetadefBody.render($0, of: name) }), "schema": "v2/schemas/metadefs/objects"
        ])
    }

    private func listProperties(_ call: APICall) async throws -> APIResponse {
        let properties = try await read(call) {
            try service.metadefs.items(
                .property, of: call.parameter("namespace"), MetadefItem.newestFirst, for: "get_metadef_properties",
                as: $0, in: $1)
        }
        return .json(["properties": MetadefBody.render(properties: properties)])
    }

    // MARK: - One

    private func createItem(_ call: APICall, _ item: MetadefItem) async throws -> APIResponse {
        let name = call.parameter("namespace")
        try await write(call, target: { _ in "\(name)/\(item.name)" }) {
            try service.metadefs.add(item, to: name, for: "add_metadef_\(item.kind.rawValue)", as: $0, in: $1)
        }
        return .json(MetadefBody.render(item, of: name), status: 201)
    }

    /// With `resource_type`, a property's name in the path is the one that it has on such resources.
    private func showItem(_ call: APICall, _ kind: MetadefItem.Kind) async throws -> APIResponse {
        let (name, wanted) = (call.parameter("namespace"), call.parameter(kind.rawValue))
        let type = kind == .property ? call.query("resource_type") ?? "" : ""
        let item = try await read(call) { access, reader in
            let own =
                type.isEmpty
                ? wanted
                : try service.metadefs.propertyName(wanted, on: type, of: name, as: access, in: reader)
            return try service.metadefs.show(
                kind, own, of: name, for: "get_metadef_\(kind.rawValue)", as: access, in: reader)
        }
        return .json(MetadefBody.render(item, of: name))
    }

    private func updateItem(_ call: APICall, _ kind: MetadefItem.Kind) async throws -> APIResponse {
        let change = try MetadefBody.item(kind, try await call.json(), at: call.now)
        let (name, wanted) = (call.parameter("namespace"), call.parameter(kind.rawValue))
        let item = try await write(call) {
            try service.metadefs.update(
                wanted, of: name, to: change, for: "modify_metadef_\(kind.rawValue)", as: $0, in: $1)
        }
        return .json(MetadefBody.render(item, of: name))
    }

    private func deleteItem(_ call: APICall, _ kind: MetadefItem.Kind) async throws -> APIResponse {
        let (name, wanted) = (call.parameter("namespace"), call.parameter(kind.rawValue))
        try await write(call) {
            try service.metadefs.delete(kind, wanted, of: name, for: kind.deletionRule, as: $0, in: $1)
        }
        return .empty(204)
    }

    private func setTags(_ call: APICall) async throws -> APIResponse {
        let tags = try MetadefBody.tags(try await call.json(), at: call.now)
        let append = call.headers.first { $0.name.canonicalName == "x-openstack-append" }?.value
        try await write(call) {
            try service.metadefs.setTags(
                tags, of: call.parameter("namespace"), isAppending: append.flatMap(BooleanWords.loose) ?? false,
                as: $0, in: $1)
        }
        return .json(MetadefBody.names(tags: tags), status: 201)
    }
}

extension MetadefItem.Kind {
    fileprivate var plural: String { self == .property ? "properties" : "\(rawValue)s" }
    fileprivate var path: String { "\(ImageAPI.namespacePath)/\(plural)" }
    fileprivate var memberPath: String { "\(path)/{\(rawValue)}" }
    fileprivate var deletionRule: String {
        self == .property ? "remove_metadef_property" : "delete_metadef_\(rawValue)"
    }
}
