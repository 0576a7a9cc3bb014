import CoordinatorPlatform

/// The schema documents.
extension ImageAPI {
    var schemaRoutes: [Route] {
        Self.schemas.map { name, document in
            Route(.get, "/v2/schemas/\(name)") { _ in .json(document) }.open(because: "what the API looks like")
        }
    }

    private static let schemas: [(name: String, document: JSON)] = [
        ("image", ImageSchemas.image), ("images", ImageSchemas.images), ("member", ImageSchemas.member),
        ("members", ImageSchemas.members), ("task", TaskSchemas.task), ("tasks", TaskSchemas.tasks),
        ("metadefs/namespace", MetadefSchemas.namespace), ("metadefs/namespaces", MetadefSchemas.namespaces),
        ("metadefs/object", MetadefSchemas.object), ("metadefs/objects", MetadefSchemas.objects),
        ("metadefs/property", MetadefSchemas.property), ("metadefs/properties", MetadefSchemas.properties),
        ("metadefs/tag", MetadefSchemas.tag), ("metadefs/tags", MetadefSchemas.tags),
        ("metadefs/resource_type", MetadefSchemas.association),
        ("metadefs/resource_types", MetadefSchemas.associations)
    ]
}
