import CoordinatorPlatform

/// Reads and shows metadata definitions.
enum MetadefBody {
    private static let namespaceSchema = JSONSchema(MetadefSchemas.namespace)
    private static let namelessPropertySchema = JSONSchema(MetadefSchemas.namelessProperty)
    private static let newTagsSchema = JSONSchema(MetadefSchemas.newTags)
    private static let associationSchema = JSONSchema(MetadefSchemas.association)
    private static let itemSchemas: [MetadefItem.Kind: JSONSchema] = [
        .object: JSONSchema(MetadefSchemas.object), .property: JSONSchema(MetadefSchemas.property),
        .tag: JSONSchema(MetadefSchemas.tag)
    ]
    private static let dates = ["created_at", "updated_at"]
    private static let ownMembers = ["self", "schema"] + dates

    // MARK: - Reading

    /// - Parameter owner: Whose it is where the body does not say.
    /// - Throws: ``APIError`` 400, or 403 for what clients never set.
    static func content(_ body: JSON, owner: String?, at now: Int64) throws -> MetadefContent {
        try check(body, namespaceSchema, "namespace", readOnly: ownMembers)
        var namespace = MetadefNamespace(
            name: body["namespace"]?.stringValue ?? "", owner: body["owner"]?.stringValue ?? owner, at: now)
        try requireName(namespace.name, "namespace")
        namespace.displayName = body["display_name"]?.stringValue
        namespace.description = body["description"]?.stringValue
        namespace.visibility = body["visibility"] == "public" ? .public : .private
        namespace.isProtected = body["protected"] == true
        var content = MetadefContent(namespace)
        content.associations = try (body["resource_type_associations"]?.arrayValue ?? []).map {
            try association($0, at: now)
        }
        for (name, value) in (body["properties"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            content.items.append(try property(value, name: name, at: now))
        }
        content.items += try (body["objects"]?.arrayValue ?? []).map { try item(.object, $0, at: now) }
        content.items += try (body["tags"]?.arrayValue ?? []).map { try item(.tag, $0, at: now) }
        return content
    }

    static func item(_ kind: MetadefItem.Kind, _ body: JSON, at now: Int64) throws -> MetadefItem {
        let readOnly = kind == .object ? ownMembers : dates
        if let schema = itemSchemas[kind] { try check(body, schema, kind.rawValue, readOnly: readOnly) }
        switch kind {
        case .object:
            for (_, value) in body["properties"]?.objectValue ?? [:] {
                try check(value, namelessPropertySchema, "property", readOnly: [])
            }
            return try item(kind, body, keeping: ["description", "required", "properties"], at: now)
        case .property: return try item(kind, body, keeping: nil, at: now)
        case .tag: return try item(kind, body, keeping: [], at: now)
        }
    }

    private static func property(_ body: JSON, name: String, at now: Int64) throws -> MetadefItem {
        try check(body, namelessPropertySchema, "property", readOnly: [])
        var members = body.objectValue ?? [:]
        members["name"] = .string(name)
        return try item(.property, .object(members), keeping: nil, at: now)
    }

    static func tags(_ body: JSON, at now: Int64) throws -> [MetadefItem] {
        try check(body, newTagsSchema, "tags", readOnly: dates)
        return try (body["tags"]?.arrayValue ?? []).map { try item(.tag, $0, at: now) }
    }

    static func association(_ body: JSON, at now: Int64) throws -> MetadefAssociation {
        try check(body, associationSchema, "resource_type_association", readOnly: dates)
        let name = body["name"]?.stringValue ?? ""
        try requireName(name, "resource_type_association")
        return MetadefAssociation(
            name, prefix: body["prefix"]?.stringValue, target: body["properties_target"]?.stringValue, at: now)
    }

    private static func item(
        _ kind: MetadefItem.Kind, _ body: JSON, keeping names: Set<String>?, at now: Int64
    ) throws -> MetadefItem {
        var members = body.objectValue ?? [:]
        let name = members.removeValue(forKey: "name")?.stringValue ?? ""
        try requireName(name, kind.rawValue)
        if let names { members = members.filter { names.contains($0.key) } }
        return MetadefItem(kind, name: name, body: members, at: now)
    }

    /// Names stand in paths.
    private static func requireName(_ name: String, _ schema: String) throws {
        guard !name.isEmpty, name.unicodeScalars.count <= 80 else {
            let sentence = "\(JSON.string(name).pythonQuoted) is not 1 to 80 characters long"
            throw GlanceBody.wording(schema)(BodyFailure(.sentence(sentence), .string(name)))
        }
    }

    private static func check(_ body: JSON, _ schema: JSONSchema, _ name: String, readOnly: [String]) throws {
        for member in readOnly where body[member] != nil {
            throw APIError.forbidden("Attribute '\(member)' is read-only.")
        }
        do throws(BodyFailure) {
            guard body.objectValue != nil else { throw BodyFailure(.wrongType(["object"]), body) }
            try schema.validate(body)
        } catch { throw GlanceBody.wording(name)(error) }
    }

    // MARK: - Showing

    static func render(_ content: MetadefContent) -> JSON {
        let namespace = content.namespace
        var body: [String: JSON] = [
            "namespace": .string(namespace.name), "visibility": .string(namespace.visibility.rawValue),
            "protected": .bool(namespace.isProtected), "self": .string("/v2/metadefs/namespaces/\(namespace.name)"),
            "schema": "/v2/schemas/metadefs/namespace"
        ]
        body.merge(times(namespace.createdAt, namespace.updatedAt)) { $1 }
        body["display_name"] = namespace.displayName.map(JSON.string)
        body["description"] = namespace.description.map(JSON.string)
        body["owner"] = namespace.owner.map(JSON.string)
        if !content.associations.isEmpty {
            body["resource_type_associations"] = .array(content.associations.map(render))
        }
        let properties = content.items(.property)
        if !properties.isEmpty { body["properties"] = render(properties: properties) }
        let objects = content.items(.object)
        if !objects.isEmpty { body["objects"] = .array(objects.map { render($0, of: namespace.name) }) }
        let tags = content.items(.tag)
        if !tags.isEmpty { body.merge(names(tags: tags).objectValue ?? [:]) { $1 } }
        return .object(body)
    }

    static func render(_ item: MetadefItem, of namespace: String) -> JSON {
        let named = item.body.merging(["name": .string(item.name)]) { _, name in name }
        switch item.kind {
        case .property: return .object(named)
        case .tag: return .object(named.merging(times(item.createdAt, item.updatedAt)) { $1 })
        case .object:
            let own: [String: JSON] = [
                "self": .string("/v2/metadefs/namespaces/\(namespace)/objects/\(item.name)"),
                "schema": "/v2/schemas/metadefs/object"
            ]
            return .object(
                ["required": [], "properties": [:]].merging(named) { $1 }
                    .merging(times(item.createdAt, item.updatedAt)) { $1 }.merging(own) { $1 })
        }
    }

    private static func times(_ created: Int64, _ updated: Int64) -> [String: JSON] {
        ["created_at": .string(Timestamp.seconds(created)), "updated_at": .string(Timestamp.seconds(updated))]
    }

    /// By name.
    static func render(properties: [MetadefItem]) -> JSON {
        .object(Dictionary(uniqueKeysWithValues: properties.map { ($0.name, .object($0.body)) }))
    }

    static func names(tags: [MetadefItem]) -> JSON {
        ["tags": .array(tags.map { ["name": .string($0.name)] })]
    }

    static func render(_ type: MetadefResourceType) -> JSON {
        .object(times(type.createdAt, type.updatedAt).merging(["name": .string(type.name)]) { $1 })
    }

    static func render(_ association: MetadefAssociation) -> JSON {
        var body = times(association.createdAt, association.updatedAt)
        body["name"] = .string(association.resourceType)
        body["prefix"] = association.prefix.map(JSON.string)
        body["properties_target"] = association.target.map(JSON.string)
        return .object(body)
    }
}
