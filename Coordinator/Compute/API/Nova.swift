import CoordinatorPlatform
import ProtocolModel

/// The compute API's habits and words.
enum Nova {
    static let body: BodyWording = { failure in
        if case .sentence(let sentence) = failure.reason { return .badRequest(sentence) }
        guard let name = failure.path.last else { return .badRequest(failure.text) }
        return .badRequest(
            "Invalid input for field/attribute \(name). Value: \(failure.value.pythonText). \(failure.text)")
    }

    /// Reads a value that stands in a body under a name.
    static func read<Value>(
        _ json: JSON, _ format: BodyFormat<Value>, under name: String? = nil
    ) throws(APIError) -> Value {
        do { return try format.read(json) } catch {
            var failure = error
            if let name { failure.path.insert(name, at: 0) }
            throw body(failure)
        }
    }

    static func invalidQuery(_ name: String, _ value: String, _ reason: String) -> APIError {
        .badRequest("Invalid input for query parameters \(name). Value: \(value). '\(value)' \(reason)")
    }

    static let flag = BodyFormat.flag { BooleanWords.loose($0) }
    /// `true` and `false`, as lists are asked for it.
    static func flag(_ name: String, _ call: APICall) throws(APIError) -> Bool {
        guard let text = call.query(name) else { return false }
        guard let flag = BooleanWords.loose(text) else { throw invalidQuery(name, text, "is not a boolean") }
        return flag
    }

    // MARK: Lists

    /// How a list is read and answered.
    /// - Parameters:
    ///   - most: Items of a page, also where none is asked.
    ///   - isPaged: Whether this version of the call has pages; else no link leads on.
    ///   - links: The member with the links; by default that of the collection.
    ///   - isNamed: Whether a marker that is not there is told in the words of markers that are names.
    ///   - isSorted: Whether the call takes an order; else what asks for one is a parameter like any unknown one.
    ///   - strictFrom: The minor version from which on parameters that the call does not know are refused.
    static func list(
        _ call: APICall, most: Int, isPaged: Bool = true, isAscending: Bool = true, links: String? = nil,
        isNamed: Bool = false, isSorted: Bool = false, strictFrom: Int = 75
    ) -> ListDialect {
        let isStrict = call.microversion.has(strictFrom)
        return ListDialect(
            limitDefault: most, limitMaximum: most, directions: .lastRepeats(isAscending: isAscending),
            control: isSorted ? ["limit", "marker", "sort_key", "sort_dir"] : ["limit", "marker"],
            flag: { BooleanWords.loose($0) },
            refusal: { refusal($0, isStrict: isStrict, isNamed: isNamed, isSorted: isSorted) },
            links: { page, call in
                guard isPaged, page.isFull, let last = page.last else { return [:] }
                let query = (call.query.filter { $0.name != "marker" } + [(name: "marker", value: last)])
                    .sorted { $0.name < $1.name }
                let href = call.baseURL + call.path + PercentCoding.text(query)
                return [links ?? "\(page.collection)_links": [["rel": "next", "href": .string(href)]]]
            })
    }

    /// The query of a list that has pages only from some version on.
    static func query(_ call: APICall, isPaged: Bool) -> [(name: String, value: String)] {
        isPaged ? call.query : call.query.filter { $0.name != "limit" && $0.name != "marker" }
    }

    static func unknownQuery(_ names: [String]) -> APIError {
        .badRequest(BodyFailure(.unexpected(names.sorted()), .null).text)
    }

    private static func refusal(
        _ fault: ListDialect.Fault, isStrict: Bool, isNamed: Bool, isSorted: Bool
    ) -> APIError? {
        switch fault {
        case .limit(let text): invalidQuery("limit", text, "does not match '^[0-9]*$'")
        case .unknownFilters(let names): isStrict ? unknownQuery(names) : nil
        case .flag(let name, let value): invalidQuery(name, value, "is not a boolean")
        case .unknownSortKeys where !isSorted: nil
        case .sortDirections where !isSorted: nil
        case .unknownSortKeys(let names): invalidQuery("sort_key", names[0], "is not one of the sort keys")
        case .sortDirections(let words): invalidQuery("sort_dir", words[0], "is not one of ['asc', 'desc']")
        case .unknownMarker(let marker):
            .badRequest(isNamed ? "Marker \(marker) could not be found." : "marker [\(marker)] not found")
        case .sortCount, .tooMany: nil
        }
    }
}

/// Reads what queries of several calls have in common.
extension APICall {
    /// A moment in a query, RFC 3339.
    func time(_ name: String) throws -> Int64? {
        guard let text = query(name) else { return nil }
        guard let time = Timestamp.parse(text) else { throw Nova.invalidQuery(name, text, "is not a 'date-time'") }
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

    /// Refuses what the call does not know, from the version on that is strict about it. Without pages and an order, it
    /// knows none of the parameters for these.
    func refuseUnknownQuery(known: Set<String>, from minor: Int = 75) throws {
        guard microversion.has(minor) else { return }
        let unknown = Set(query.map(\.name)).subtracting(known)
        if !unknown.isEmpty { throw Nova.unknownQuery(Array(unknown)) }
    }

    func requireVersion(_ isThere: Bool) throws {
        guard isThere else { throw APIError.notFound("The resource could not be found.") }
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
