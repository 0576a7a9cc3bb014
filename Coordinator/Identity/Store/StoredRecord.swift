import CoordinatorPlatform
import ProtocolModel

/// A record with a table of its own: `record_key`, `generation`, `extra` and its columns. In memory it has its place in
/// ``IdentityState``.
protocol StoredRecord: IdentityRecord, TableRecord {
    static func all(in state: IdentityState) -> [Self]
    static func find(_ key: String, in state: IdentityState) -> Self?
    func put(in state: inout IdentityState)
    /// With all that hangs on it, as the database does.
    func remove(from state: inout IdentityState)
}

extension ColumnVisitor {
    /// What all records of the identity service have.
    mutating func standard(
        _ key: inout String, _ generation: inout Int64, _ extra: inout [String: JSON]
    ) throws {
        try self("record_key", &key, .key)
        try rest(&generation, &extra)
    }

    mutating func standard<R>(
        _ id: inout Identifier<R>, _ generation: inout Int64, _ extra: inout [String: JSON]
    ) throws {
        try compact("record_key", &id, .key)
        try rest(&generation, &extra)
    }

    private mutating func rest(_ generation: inout Int64, _ extra: inout [String: JSON]) throws {
        try self("generation", &generation, .generation)
        try members("extra", &extra)
    }

    mutating func members(_ name: String, _ members: inout [String: JSON]) throws {
        var json = JSON.object(isReading ? [:] : members)
        try self(name, &json)
        if isReading { members = json.objectValue ?? [:] }
    }

    /// Texts as one column.
    mutating func words(_ name: String, _ words: inout [String]) throws {
        var json = JSON.array(isReading ? [] : words.map { .string($0) })
        try self(name, &json)
        if isReading { words = json.arrayValue?.compactMap(\.stringValue) ?? [] }
    }

    /// An identifier as 32 digits, where there is one.
    mutating func compact<R>(_ name: String, _ id: inout Identifier<R>?, _ role: ColumnRole = .changing) throws {
        var text = isReading ? nil : id?.compact
        try self(name, &text, role)
        guard isReading else { return }
        id = try text.map { text in
            guard let id = Identifier<R>(text) else { throw StoreError.corrupt("'\(text)' is not an identifier") }
            return id
        }
    }
}
