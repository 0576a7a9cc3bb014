import CoordinatorPlatform

extension MetadefNamespace.Visibility: SQLWord {}
extension MetadefItem.Kind: SQLWord {}

extension MetadefNamespace: TableRecord {
    package static let blank = MetadefNamespace(name: "", owner: nil, at: 0)
    package static let table = RecordTable<Self>("metadef_namespaces")

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &row, .number)
        try column("namespace", &name)
        try column("display_name", &displayName)
        try column("description", &description)
        try column("visibility", &visibility)
        try column("protected", &isProtected)
        try column("owner", &owner)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
    }
}

extension MetadefItem: TableRecord {
    package static let blank = MetadefItem(.tag, name: "", at: 0)
    package static let table = RecordTable<Self>("metadef_items")

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &row, .number)
        try column("namespace", &namespace, .fixed)
        try column("kind", &kind, .fixed)
        try column("name", &name)
        var json = column.isReading ? JSON.null : .object(body)
        try column("body", &json)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
        guard column.isReading else { return }
        guard case .object(let members) = json else {
            throw StoreError.corrupt("metadata definition '\(name)' is not a JSON object")
        }
        body = members
    }
}

extension MetadefAssociation: TableRecord {
    package static let blank = MetadefAssociation("", at: 0)
    package static let table = RecordTable<Self>(
        "metadef_associations", alias: "a", join: "JOIN metadef_resource_types t ON t.id = a.resource_type")

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &row, .number)
        try column("namespace", &namespace, .fixed)
        try column("resource_type", &typeRow, .fixed)
        try column("t.name", &resourceType, .joined)
        try column("prefix", &prefix, .fixed)
        try column("properties_target", &target, .fixed)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt, .fixed)
    }
}

extension MetadefResourceType: TableRecord {
    static let blank = MetadefResourceType(name: "", createdAt: 0, updatedAt: 0)
    static let table = RecordTable<Self>("metadef_resource_types")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &row, .number)
        try column("name", &name)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
    }
}
