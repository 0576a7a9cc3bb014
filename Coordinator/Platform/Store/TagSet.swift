import ProtocolModel

/// The tags of one kind of resource, or of several: a table with a row a tag, unique over resource and tag.
public struct TagSet: Sendable {
    /// Tags a resource can have, in every service that has them.
    public static let most = 50

    let table: String
    let owner: String
    let order: String
    let most: Int?

    /// - Parameters:
    ///   - owner: The column that names the resource.
    ///   - isSorted: Whether tags are shown by name, and not in the order in which they were given.
    ///   - most: Tags of one resource; `nil` where the service counts them itself.
    public init(table: String, owner: String, isSorted: Bool = true, most: Int? = TagSet.most) {
        self.table = table
        self.owner = owner
        order = isSorted ? "tag" : "id"
        self.most = most
    }

    public func tags<R>(of resource: Identifier<R>, in reader: any SQLReader) throws -> [String] {
        try reader.query("SELECT tag FROM \(table) WHERE \(owner) = ? ORDER BY \(order)", [resource]) { $0.text(0) }
    }

    public func tags<R>(
        of resources: [Identifier<R>], in reader: any SQLReader
    ) throws -> [Identifier<R>: [String]] {
        var found: [Identifier<R>: [String]] = [:]
        _ = try reader.inPieces(resources) { piece in
            let condition = SQLCondition.in(owner, Array(piece))
            return try reader.query(
                "SELECT \(owner), tag FROM \(table) WHERE \(condition.sql) ORDER BY \(order)", condition.arguments
            ) { row in found[try row.id(0), default: []].append(row.text(1)) }
        }
        return found
    }

    /// - Returns: `false` when the resource had it already.
    /// - Throws: ``TooManyTags``
    @discardableResult
    public func add<R>(_ tag: String, to resource: Identifier<R>, in transaction: any SQLTransaction) throws -> Bool {
        let isNew =
            try transaction.execute(
                "INSERT INTO \(table) (\(owner), tag) VALUES (?, ?) ON CONFLICT (\(owner), tag) DO NOTHING",
                [resource, tag]) == 1
        if isNew, let most, try transaction.count(table, .equal(owner, resource)) > most { throw TooManyTags() }
        return isNew
    }

    /// - Throws: ``TooManyTags``
    public func replace<R>(
        _ tags: [String], of resource: Identifier<R>, in transaction: any SQLTransaction
    ) throws {
        try removeAll(from: resource, in: transaction)
        for tag in tags { try add(tag, to: resource, in: transaction) }
    }

    /// - Returns: `false` when the resource did not have it.
    public func remove<R>(
        _ tag: String, from resource: Identifier<R>, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.execute("DELETE FROM \(table) WHERE \(owner) = ? AND tag = ?", [resource, tag]) == 1
    }

    public func removeAll<R>(from resource: Identifier<R>, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM \(table) WHERE \(owner) = ?", [resource])
    }

    /// The four filters that lists of tagged resources have, by their names in every API: `tags` (all of them),
    /// `tags-any`, `not-tags` and `not-tags-any`, each with values parted by commas.
    /// - Parameter identity: The resource's own id in the list's source: `n.uuid`.
    public func filters(_ identity: String) -> [String: ListSchema.Special] {
        func filter(_ decide: @escaping @Sendable (_ count: String, _ wanted: Int) -> String) -> ListSchema.Special {
            { values in
                let tags = Set(values.flatMap { $0.split(separator: ",").map(String.init) }).sorted()
                let list = SQLCondition.in("t.tag", tags)
                let count = "(SELECT COUNT(*) FROM \(table) t WHERE t.\(owner) = \(identity) AND \(list.sql))"
                return SQLCondition(decide(count, tags.count), list.arguments)
            }
        }
        return [
            "tags": filter { "\($0) = \($1)" }, "tags-any": filter { count, _ in "\(count) > 0" },
            "not-tags": filter { "\($0) < \($1)" }, "not-tags-any": filter { count, _ in "\(count) = 0" }
        ]
    }
}

/// A resource would have more than ``TagSet/most`` tags.
public struct TooManyTags: Error, Sendable, Equatable {
    public init() {}
}
