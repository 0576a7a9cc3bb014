import CoordinatorPlatform

/// Reads and shows metadata definitions.
enum MetadefBody {
    private static let namespaceSchema = JSONSchema(MetadefSchemas.namespace)
    private static let objectSchema = JSONSchema(MetadefSchemas.object)
    private static let propertySchema = JSONSchema(MetadefSchemas.property)
    private static let namelessPropertySchema = JSONSchema(MetadefSchemas.namelessProperty)
    private static let tagSchema = JSONSchema(MetadefSchemas.tag)
    private static let newTagsSchema = JSONSchema(MetadefSchemas.newTags)
    private static let associationSchema = JSONSchema(MetadefSchemas.association)

    // MARK: - Reading

    /// - Parameter owner: Whose it is where the body does not say.
    /// - Throws: ``APIError`` 400, or 403 for what clients never set.
    static func content(_ body: JSON, owner: String?, at now: Int64) throws -> MetadefContent {
        try check(body, namespaceSchema, "namespace", readOnly: ["self", "schema", "created_at", "updated_at"])
        var namespace = MetadefNamespace(
            name: body["namespace"]?.stringValue ?? "", owner: body["owner"]?.stringValue ?? owner, at: now)
        try requireName(namespace.name, "namespace")
        namespace.displayName = body["display_name"]?.stringValue
        namespace.description = body["description"]?.stringValue
        namespace.visibility = body["visibility"] == "public" ? .public : .private
        namespace.isProtected = body["protected"] == true
        var content = MetadefContent(namespace)
        for item in body["resource_type_associations"]?.arrayValue ?? [] {
            content.associations.append(try association(item, at: now))
        }
        for (name, value) in (body["properties"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            content.items.append(try property(value, name: name, at: now))
        }
        for item in body["objects"]?.arrayValue ?? [] { content.items.append(try object(item, at: now)) }
        for item in body["tags"]?.arrayValue ?? [] { content.items.append(try tag(item, at: now)) }
        return content
    }

    static func object(_ body: JSON, at now: Int64) throws -> MetadefItem {
        try check(body, objectSchema, "object", readOnly: ["self", "schema", "created_at", "updated_at"])
        for (_, value) in body["properties"]?.objectValue ?? [:] {
            try check(value, namelessPropertySchema, "property", readOnly: [])
        }
        return try item(.object, body, keeping: ["description", "required", "properties"], at: now)
    }

    static func property(_ body: JSON, at now: Int64) throws -> MetadefItem {
        try check(body, propertySchema, "property", readOnly: ["created_at", "updated_at"])
        return try item(.property, body, keeping: nil, at: now)
    }

    private static func property(_ body: JSON, name: String, at now: Int64) throws -> MetadefItem {
        try check(body, namelessPropertySchema, "property", readOnly: [])
        var members = body.objectValue ?? [:]
        members["name"] = .string(name)
        return try item(.property, .object(members), keeping: nil, at: now)
    }

    static func tag(_ body: JSON, at now: Int64) throws -> MetadefItem {
        try check(body, tagSchema, "tag", readOnly: ["created_at", "updated_at"])
        return try item(.tag, body, keeping: [], at: now)
    }

    static func tags(_ body: JSON, at now: Int64) throws -> [MetadefItem] {
        try check(body, newTagsSchema, "tags", readOnly: ["created_at", "updated_at"])
        return try (body["tags"]?.arrayValue ?? []).map { try tag($0, at: now) }
    }

    static func association(_ body: JSON, at now: Int64) throws -> MetadefAssociation {
        try check(body, associationSchema, "resource_type_association", readOnly: ["created_at", "updated_at"])
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
            throw invalid(schema, "\(JSON.string(name).pythonQuoted) is not 1 to 80 characters long")
        }
    }

    private static func check(_ body: JSON, _ schema: JSONSchema, _ name: String, readOnly: [String]) throws {
        for member in readOnly where body[member] != nil {
            throw APIError.forbidden("Attribute '\(member)' is read-only.")
        }
        guard body.objectValue != nil else { throw invalid(name, "\(body.pythonQuoted) is not of type 'object'") }
        do { try schema.validate(body) } catch { throw invalid(name, error.description) }
    }

    private static func invalid(_ schema: String, _ reason: String) -> APIError {
        .badRequest("Provided object does not match schema '\(schema)': \(reason)")
    }

    // MARK: - Showing

    static func render(_ content: MetadefContent) -> JSON {
        let namespace = content.namespace
        var body: [String: JSON] = [
            "namespace": .string(namespace.name), "visibility": .string(namespace.visibility.rawValue),
            "protected": .bool(namespace.isProtected), "created_at": .string(Timestamp.seconds(namespace.createdAt)),
            "updated_at": .string(Timestamp.seconds(namespace.updatedAt)),
            "self": .string("/v2/metadefs/namespaces/\(namespace.name)"),
            "schema": "/v2/schemas/metadefs/namespace"
        ]
        body["display_name"] = namespace.displayName.map(JSON.string)
        body["description"] = namespace.description.map(JSON.string)
        body["owner"] = namespace.owner.map(JSON.string)
        if !content.associations.isEmpty {
            body["resource_type_associations"] = .array(content.associations.map(render))
        }
        let properties = content.items(.property)
        if !properties.isEmpty { body["properties"] = render(properties: properties) }
        let objects = content.items(.object)
        if !objects.isEmpty { body["objects"] = .array(objects.map { render(object: $0, of: namespace.name) }) }
        let tags = content.items(.tag)
        if !tags.isEmpty { body["tags"] = .array(tags.map { ["name": .string($0.name)] }) }
        return .object(body)
    }

    static func render(object: MetadefItem, of namespace: String) -> JSON {
        var body: [String: JSON] = ["required": [], "properties": [:]]
        body.merge(object.body) { _, given in given }
        body["name"] = .string(object.name)
        body["created_at"] = .string(Timestamp.seconds(object.createdAt))
        body["updated_at"] = .string(Timestamp.seconds(object.updatedAt))
        body["self"] = .string("/v2/metadefs/namespaces/\(namespace)/objects/\(object.name)")
        body["schema"] = "/v2/schemas/metadefs/object"
        return .object(body)
    }

    static func render(property: MetadefItem) -> JSON {
        .object(property.body.merging(["name": .string(property.name)]) { _, name in name })
    }

    /// By name.
    static func render(properties: [MetadefItem]) -> JSON {
        .object(Dictionary(uniqueKeysWithValues: properties.map { ($0.name, .object($0.body)) }))
    }

    static func render(tag: MetadefItem) -> JSON {
        [
            "name": .string(tag.name), "created_at": .string(Timestamp.seconds(tag.createdAt)),
            "updated_at": .string(Timestamp.seconds(tag.updatedAt))
        ]
    }

    static func render(_ association: MetadefAssociation) -> JSON {
        var body: [String: JSON] = [
            "name": .string(association.resourceType),
            "created_at": .string(Timestamp.seconds(association.createdAt)),
            "updated_at": .string(Timestamp.seconds(association.updatedAt))
        ]
        body["prefix"] = association.prefix.map(JSON.string)
        body["properties_target"] = association.target.map(JSON.string)
        return .object(body)
    }
}
