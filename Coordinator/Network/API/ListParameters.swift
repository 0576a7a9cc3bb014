import CoordinatorPlatform
import ProtocolModel

/// The query of a list call, checked in Neutron's words.
struct ListParameters: Sendable {
    var query = ListQuery()
    /// Empty for all.
    var fields: Set<String> = []

    private static let reserved: Set<String> = ["fields", "sort_key", "sort_dir", "limit", "marker", "page_reverse"]

    init(_ call: APICall, _ table: ListTable) throws {
        var filters: [String: [String]] = [:]
        var order: [String] = []
        for (name, value) in call.query where !Self.reserved.contains(name) {
            if filters[name] == nil { order.append(name) }
            filters[name, default: []].append(value)
        }
        let unknown = order.filter { !table.isFilter($0) }
        if !unknown.isEmpty {
            throw APIError.http(
                "[\(unknown.map { "'\($0)'" }.joined(separator: ", "))] is invalid attribute for filtering")
        }
        query.filters = order.map { ($0, filters[$0] ?? []) }
        query.sorts = try Self.sorts(call, table)
        query.limit = try Self.limit(call)
        query.marker = call.query("marker")
        query.isReversed = call.query("page_reverse").flatMap { ListTable.flag($0) } ?? false
        fields = Set(call.queryAll("fields").flatMap { $0.split(separator: ",").map(String.init) })
    }

    private static func sorts(_ call: APICall, _ table: ListTable) throws -> [(name: String, isAscending: Bool)] {
        let keys = call.queryAll("sort_key")
        var directions = call.queryAll("sort_dir")
        if directions.isEmpty { directions = keys.map { _ in "asc" } }
        guard keys.count == directions.count else {
            throw APIError.http("The number of sort_keys and sort_dirs must be same")
        }
        let absent = keys.filter { table.columns[$0] == nil }
        if !absent.isEmpty {
            throw APIError.http(
                "[\(absent.map { "'\($0)'" }.joined(separator: ", "))] is invalid attribute for sort_keys")
        }
        let invalid = directions.filter { $0 != "asc" && $0 != "desc" }
        if !invalid.isEmpty {
            throw APIError.http(
                "[\(invalid.map { "'\($0)'" }.joined(separator: ", "))] is invalid value for sort_dirs, valid value is "
                    + "'asc' and 'desc'")
        }
        return zip(keys, directions).map { ($0, $1 == "asc") }
    }

    private static func limit(_ call: APICall) throws -> Int? {
        guard let text = call.query("limit") else { return nil }
        guard let limit = Int(text), limit >= 0 else {
            throw APIError.badRequest(
                "Bad limit request: Limit must be an integer 0 or greater and not '\(text)'.", type: "BadRequest")
        }
        return limit == 0 ? nil : min(limit, 10_000)
    }

    /// The answer of a list call: the items with the wanted fields, and links when they are a page.
    func answer(_ items: [(id: String, view: [String: JSON])], _ collection: String, _ call: APICall) -> APIResponse {
        var body: [String: JSON] = [collection: .array(items.map { .object(Self.select(fields, $0.view)) })]
        if let limit = query.limit {
            var links: [JSON] = []
            let isFull = items.count >= limit
            if let last = items.last, isFull || query.isReversed { links.append(link("next", last.id, false, call)) }
            if let first = items.first, query.marker != nil, isFull || !query.isReversed {
                links.append(link("previous", first.id, true, call))
            }
            if !links.isEmpty { body["\(collection)_links"] = .array(links) }
        }
        return .json(.object(body))
    }

    static func select(_ fields: Set<String>, _ view: [String: JSON]) -> [String: JSON] {
        fields.isEmpty ? view : view.filter { fields.contains($0.key) }
    }

    private func link(_ relation: String, _ marker: String, _ isReversed: Bool, _ call: APICall) -> JSON {
        let kept = call.query.filter { $0.name != "marker" && $0.name != "page_reverse" }
        let added = [(name: "marker", value: marker)] + (isReversed ? [(name: "page_reverse", value: "True")] : [])
        let text = (kept + added).map { "\(PercentCoding.encode($0.name))=\(PercentCoding.encode($0.value))" }
            .joined(separator: "&")
        return ["rel": JSON(relation), "href": JSON("\(call.baseURL)\(call.path)?\(text)")]
    }
}
