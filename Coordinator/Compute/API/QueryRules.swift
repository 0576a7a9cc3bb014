import CoordinatorPlatform
import ProtocolModel

/// Reads what queries of several calls have in common.
extension APICall {
    /// `limit`: 0 and more, at most the page limit.
    /// - Throws: ``APIError`` 400.
    func limit(most: Int) throws -> Int {
        guard let text = query("limit") else { return most }
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw APIError.badRequest(
                "Invalid input for query parameters limit. Value: \(text). '\(text)' does not match '^[0-9]*$'")
        }
        return min(Int(text) ?? most, most)
    }

    /// Refuses what the call does not know, from the version on that is strict about it.
    func refuseUnknownQuery(from minor: Int, known: Set<String>) throws {
        guard microversion.has(minor) else { return }
        let unknown = Set(query.map(\.name)).subtracting(known)
        guard !unknown.isEmpty else { return }
        let names = unknown.sorted().map { "'\($0)'" }.joined(separator: ", ")
        throw APIError.badRequest(
            "Additional properties are not allowed (\(names) \(unknown.count == 1 ? "was" : "were") unexpected)")
    }

    /// A moment in a query, RFC 3339.
    func time(_ name: String) throws -> Int64? {
        guard let text = query(name) else { return nil }
        guard let time = Timestamp.parse(text) else {
            throw APIError.badRequest(
                "Invalid input for query parameters \(name). Value: \(text). '\(text)' is not a 'date-time'")
        }
        return time
    }

    /// - Returns: Both moments of a period.
    func period() throws -> (since: Int64?, before: Int64?) {
        let since = try time("changes-since")
        let before = try time("changes-before")
        if let since, let before, before < since {
            throw APIError.badRequest("The value of changes-since must be less than or equal to changes-before.")
        }
        return (since, before)
    }

    /// A page's `next` link, when the page is as long as was asked for.
    func nextLink(path: String, last: String?, count: Int, limit: Int) -> JSON? {
        guard let last, count == limit, limit > 0 else { return nil }
        var items = query.filter { $0.name != "marker" }
        items.append((name: "marker", value: last))
        items.sort { $0.name < $1.name }
        let text = items.map { PercentCoding.encode($0.name) + "=" + PercentCoding.encode($0.value) }
        return [["rel": "next", "href": .string("\(Links(baseURL).version)\(path)?" + text.joined(separator: "&"))]]
    }
}

/// Addresses of resources, for `links`.
struct Links: Sendable {
    /// Up to the service's prefix, with `/` at the end.
    let root: String
    /// Up to the version, with `/` at the end.
    let version: String

    init(_ baseURL: String) {
        root = baseURL + "/compute/"
        version = baseURL + "/compute/v2.1/"
    }

    /// `self` and `bookmark`.
    func both(_ path: String) -> JSON {
        [["rel": "self", "href": .string(version + path)], bookmark(path)]
    }

    func bookmark(_ path: String) -> JSON { ["rel": "bookmark", "href": .string(root + path)] }
}
