/// Words that are kept with an object.
struct S3Tags: Hashable, Sendable {
    private static let limit = 10

    private(set) var items: [(key: String, value: String)]

    static func == (left: Self, right: Self) -> Bool { left.text == right.text }
    func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// As a query, which is how a header has them and how they are kept.
    var text: String {
        items.map { "\(PercentText.encode($0.key, keeping: ""))=\(PercentText.encode($0.value, keeping: ""))" }
            .joined(separator: "&")
    }

    /// What was kept.
    init(text: String) { items = Self.parse(text) }

    /// - Throws: ``S3Refusal`` for what is too much or none.
    init(query: String) throws {
        items = Self.parse(query)
        try check()
    }

    /// - Throws: ``S3Refusal``.
    init(_ document: XMLElement) throws {
        guard document.name == "Tagging", let set = document.children.first, set.name == "TagSet",
            document.children.count == 1
        else { throw S3Refusal.malformedXML }
        items = try set.children.map { tag in
            guard tag.name == "Tag", let key = tag["Key"], let value = tag["Value"] else {
                throw S3Refusal.malformedXML
            }
            return (key, value)
        }
        try check()
    }

    private static func parse(_ query: String) -> [(String, String)] {
        query.split(separator: "&").map { item in
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decode = { (text: Substring) in PercentText.decode(text, plusIsSpace: true) ?? String(text) }
            return (decode(pair[0]), pair.count > 1 ? decode(pair[1]) : "")
        }
    }

    private func check() throws {
        guard items.count <= Self.limit else {
            throw S3Refusal(400, "BadRequest", "Object tags cannot be greater than \(Self.limit)")
        }
        guard Set(items.map { Array($0.key.utf8) }).count == items.count else {
            throw S3Refusal(400, "InvalidTag", "Cannot provide multiple Tags with the same key")
        }
        for item in items {
            guard (1...128).contains(item.key.unicodeScalars.count), !item.key.hasPrefix("aws:") else {
                throw S3Refusal(400, "InvalidTag", "The TagKey you have provided is invalid")
            }
            guard item.value.unicodeScalars.count <= 256 else {
                throw S3Refusal(400, "InvalidTag", "The TagValue you have provided is invalid")
            }
        }
    }
}

extension S3Call {
    func getTags(_ name: ObjectName) async throws -> ObjectResponse {
        let record = try await requireObject(name, .read)
        let tags = S3Tags(text: record.attributes.metadata[MetadataRules.tags] ?? "")
        let inner = tags.items.map { "<Tag>\(S3XML.element("Key", $0.key))\(S3XML.element("Value", $0.value))</Tag>" }
        return S3XML.document("Tagging", "<TagSet>\(inner.joined())</TagSet>")
    }

    func putTags(_ name: ObjectName) async throws -> ObjectResponse {
        _ = try await requireObject(name, .write)
        guard let document = try await document() else { throw S3Refusal.malformedXML }
        try await keep(try S3Tags(document), with: name)
        return ObjectResponse(200)
    }

    func deleteTags(_ name: ObjectName) async throws -> ObjectResponse {
        try await keep(nil, with: name)
        return ObjectResponse(204)
    }

    private func keep(_ tags: S3Tags?, with name: ObjectName) async throws {
        for _ in 0..<8 {
            let record = try await requireObject(name, .write)
            var attributes = record.attributes
            attributes.metadata[MetadataRules.tags] = tags.flatMap { $0.items.isEmpty ? nil : $0.text }
            if try await store.change(name, seen: record, to: attributes) { return }
        }
        throw S3Refusal(409, "OperationAborted", "The object was changed meanwhile; please try again.")
    }
}
