import CoordinatorPlatform
import ProtocolModel

/// One condition of a list's query: `name=x`, `enabled=true`, `name__contains=x`, ...
struct ListFilter: Sendable {
    private let member: String
    private let comparison: String
    private let value: String

    static func parse(_ query: [(name: String, value: String)], names: Set<String>) throws(APIError) -> [ListFilter] {
        var found: [ListFilter] = []
        for (name, value) in query {
            let parts = name.split(separator: "_", omittingEmptySubsequences: false)
            // `name__contains`: the last two underscores part the name from the comparison.
            let mark = parts.count >= 3 && parts[parts.count - 2].isEmpty ? parts.count - 2 : nil
            let member = mark.map { parts[..<$0].joined(separator: "_") } ?? name
            guard names.contains(member) else { continue }
            found.append(ListFilter(member: member, comparison: mark.map { String(parts[$0 + 1]) } ?? "", value: value))
        }
        return found
    }

    func matches(_ members: [String: JSON]) -> Bool {
        let present = members[member] ?? .null
        switch present {
        case .bool(let flag): return flag == Self.flag(value)
        case .string(let text): return matches(text)
        case .null: return value.isEmpty || value == "null"
        default: return present.text == value
        }
    }

    /// As oslo.utils reads it: everything but its words for no is a yes, also nothing at all.
    static func flag(_ text: String) -> Bool { !["false", "0", "no", "off", "f", "n"].contains(text.lowercased()) }

    private func matches(_ text: String) -> Bool {
        switch comparison {
        case "": text == value
        case "contains": text.contains(value)
        case "icontains": text.lowercased().contains(value.lowercased())
        case "startswith": text.hasPrefix(value)
        case "istartswith": text.lowercased().hasPrefix(value.lowercased())
        case "endswith": text.hasSuffix(value)
        case "iendswith": text.lowercased().hasSuffix(value.lowercased())
        default: true
        }
    }
}

/// `tags`, `tags-any`, `not-tags`, `not-tags-any`: lists parted by commas, all of which must hold.
struct TagFilter: Sendable {
    private enum Condition {
        case all([String]), any([String]), notAll([String]), notAny([String])
    }
    private let conditions: [Condition]

    init(_ query: [(name: String, value: String)]) {
        conditions = query.compactMap { name, value in
            let tags = value.split(separator: ",").map { String($0.trimmed) }
            return switch name {
            case "tags": .all(tags)
            case "tags-any": .any(tags)
            case "not-tags": .notAll(tags)
            case "not-tags-any": .notAny(tags)
            default: nil
            }
        }
    }

    func matches(_ tags: [String]) -> Bool {
        conditions.allSatisfy { condition in
            switch condition {
            case .all(let wanted): wanted.allSatisfy(tags.contains)
            case .any(let wanted): wanted.contains(where: tags.contains)
            case .notAll(let unwanted): !unwanted.allSatisfy(tags.contains)
            case .notAny(let unwanted): !unwanted.contains(where: tags.contains)
            }
        }
    }
}

extension Substring {
    /// Without blanks at either end.
    var trimmed: Substring {
        var text = self
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}

/// `limit` and `marker`: a page in the order of identifiers.
struct ListPage: Sendable {
    /// No page is longer, whatever is asked.
    static let limitMaximum = 1000

    let limit: Int?
    let marker: String?

    /// - Throws: ``APIError`` 400 for a limit that is no number.
    init(_ call: APICall) throws(APIError) {
        marker = call.query("marker").flatMap { $0.isEmpty ? nil : $0 }
        guard let text = call.query("limit"), !text.isEmpty else {
            limit = nil
            return
        }
        guard let number = Int(text), number >= 0 else {
            throw .badRequest(
                "Invalid input for field 'limit': \(JSON.string(text).pythonQuoted) is not of type 'integer'")
        }
        limit = number == 0 ? nil : min(number, Self.limitMaximum)
    }

    var isWhole: Bool { limit == nil && marker == nil }

    /// - Parameter items: Identifier and item.
    /// - Returns: The page, and whether it was cut off.
    /// - Throws: ``APIError`` 404 for a marker that is not in the list.
    func cut<Item>(_ items: [(key: String, item: Item)]) throws(APIError) -> (items: [(key: String, item: Item)], Bool)
    {
        var items = items.sorted { $0.key < $1.key }
        if let marker {
            guard let index = items.firstIndex(where: { $0.key == marker }) else {
                throw .notFound("Marker \(marker) could not be found.")
            }
            items.removeFirst(index + 1)
        }
        guard let limit, items.count > limit else { return (items, false) }
        return (Array(items.prefix(limit)), true)
    }
}
