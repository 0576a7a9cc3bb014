import CoordinatorPlatform

/// A named set of definitions of properties, objects and tags that people may put on resources.
package struct MetadefNamespace: Sendable, Hashable {
    package enum Visibility: String, Sendable, Hashable {
        case `public`, `private`
    }

    /// The row; names change, this does not.
    package var row: Int64 = 0
    package var name: String
    package var displayName: String?
    package var description: String?
    package var visibility = Visibility.private
    package var isProtected = false
    package var owner: String?
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(name: String, owner: String?, at now: Int64) {
        self.name = name
        self.owner = owner
        createdAt = now
        updatedAt = now
    }
}

/// What a namespace consists of.
package struct MetadefItem: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case object, property, tag
    }

    /// The row, and its namespace's; given by the store.
    package var row: Int64 = 0
    package var namespace: Int64 = 0
    package var kind: Kind
    package var name: String
    /// The definition without its name, as the API shows it; empty for tags.
    package var body: [String: JSON]
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(_ kind: Kind, name: String, body: [String: JSON] = [:], at now: Int64) {
        self.kind = kind
        self.name = name
        self.body = body
        createdAt = now
        updatedAt = now
    }
}

/// A namespace's definitions are meant for resources of this type.
package struct MetadefAssociation: Sendable, Hashable {
    /// The row, its namespace's and its type's; given by the store.
    package var row: Int64 = 0
    package var namespace: Int64 = 0
    package var typeRow: Int64 = 0
    /// `OS::Glance::Image` and the like.
    package var resourceType: String
    /// Goes before the names of properties on such resources: `hw_`.
    package var prefix: String?
    /// Which of several sets of properties is meant, where such resources have several: `image`.
    package var target: String?
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(_ resourceType: String, prefix: String? = nil, target: String? = nil, at now: Int64) {
        self.resourceType = resourceType
        self.prefix = prefix
        self.target = target
        createdAt = now
        updatedAt = now
    }
}

/// A type that definitions can be associated with.
struct MetadefResourceType: Sendable, Hashable {
    var row: Int64 = 0
    var name: String
    var createdAt: Int64
    var updatedAt: Int64
}

/// A namespace with all that is in it.
package struct MetadefContent: Sendable, Hashable {
    package var namespace: MetadefNamespace
    package var associations: [MetadefAssociation] = []
    package var items: [MetadefItem] = []

    package init(_ namespace: MetadefNamespace) { self.namespace = namespace }

    package func items(_ kind: MetadefItem.Kind) -> [MetadefItem] { items.filter { $0.kind == kind } }
}

extension MetadefContent {
    /// With the names that its properties have on a type of resource.
    package func prefixed(_ prefix: String) -> MetadefContent {
        var content = self
        content.items = items.map { item in
            var item = item
            switch item.kind {
            case .property: item.name = prefix + item.name
            case .object:
                let properties = item.body["properties"]?.objectValue ?? [:]
                let renamed = properties.map { (prefix + $0.key, $0.value) }
                item.body["properties"] = .object(Dictionary(uniqueKeysWithValues: renamed))
                let required = item.body["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
                item.body["required"] = .array(required.map { .string(prefix + $0) })
            case .tag: break
            }
            return item
        }
        return content
    }
}
