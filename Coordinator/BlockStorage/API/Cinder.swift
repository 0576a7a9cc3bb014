import CoordinatorPlatform
import HTTPTypes
import ProtocolModel

/// The volume API's habits and words.
enum Cinder {
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

    static let flag = BodyFormat.flag({ BooleanWords.loose($0) }, orNumber: true)
    static let metadata = BodyFormat<[String: String]>.map(
        keys: TextRule(.pattern("^[a-zA-Z0-9-_:. /]{1,255}$")) { (1...255).contains($0.unicodeScalars.count) },
        values: .text(0...255), most: 128)
    /// Up to PostgreSQL's and SQLite's, and Cinder's, largest integer.
    static let size = BodyFormat<Int>.integer(1...0x7FFF_FFFF, orText: true)

    /// A flag in a query.
    static func flag(_ name: String, _ call: APICall) throws(APIError) -> Bool {
        guard let text = call.query(name) else { return false }
        guard let flag = BooleanWords.loose(text) else {
            throw BlockStorageError.input("Value '\(text)' for \(name) is not a boolean")
        }
        return flag
    }

    // MARK: Lists

    /// How a list is read and answered.
    /// - Parameters:
    ///   - refuses: Whether filters that the call does not know are refused; else they are passed over.
    ///   - path: Of the further page, below the project: `volumes/detail`.
    static func list(most: Int, refuses: Bool, path: String) -> ListDialect {
        ListDialect(
            limitDefault: most, limitMaximum: most, directions: .lastRepeats(isAscending: false),
            sortDefault: "created_at",
            control: ["limit", "marker", "offset", "sort_key", "sort_dir", "all_tenants", "with_count"],
            flag: { BooleanWords.loose($0) },
            comparison: { name, value in
                name.hasSuffix("~")
                    ? ListQuery.Filter(String(name.dropLast()), .contains, [value])
                    : ListQuery.Filter(name, .equal, [value])
            },
            refusal: { refusal($0, refuses: refuses) },
            links: { page, call in
                guard page.isFull, let last = page.last else { return [:] }
                let query = call.query.filter { $0.name != "marker" && $0.name != "offset" }
                let href = call.volumeURL + path + PercentCoding.text(query + [(name: "marker", value: last)])
                return ["\(page.collection)_links": [["rel": "next", "href": .string(href)]]]
            })
    }

    private static func refusal(_ fault: ListDialect.Fault, refuses: Bool) -> APIError? {
        switch fault {
        case .limit(let text):
            .badRequest(Int(text) == nil ? "limit param must be an integer" : "limit param must be positive")
        case .unknownFilters(let names):
            refuses
                ? .badRequest("Invalid filters \(names.joined(separator: ", ")) are found in query options.") : nil
        case .flag(let name, let value): refuses ? BlockStorageError.input("'\(name) = \(value)'") : nil
        case .unknownSortKeys(let names):
            BlockStorageError.input("Sort key supplied is invalid: \(names[0])")
        case .sortDirections(let words):
            BlockStorageError.input("Unknown sort direction, must be one of: asc, desc, not \(words[0])")
        case .unknownMarker(let marker): .notFound("Marker \(marker) could not be found.")
        case .sortCount, .tooMany: nil
        }
    }

    /// The parameters with `sort=name:asc,size` taken apart.
    static func parameters(_ call: APICall) throws(APIError) -> [(name: String, value: String)] {
        guard let sort = call.query("sort") else { return call.query }
        guard call.query("sort_key") == nil, call.query("sort_dir") == nil else {
            throw .badRequest(
                "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter.")
        }
        var query = call.query.filter { $0.name != "sort" }
        for part in sort.split(separator: ",") {
            let words = part.split(separator: ":", maxSplits: 1).map { String($0.trimmingBlanks) }
            guard let key = words.first else { continue }
            query.append((name: "sort_key", value: key))
            query.append((name: "sort_dir", value: words.count > 1 ? words[1] : "desc"))
        }
        return query
    }

    /// Items that are passed over before a page.
    static func offset(_ call: APICall) throws(APIError) -> Int {
        guard let text = call.query("offset") else { return 0 }
        guard let offset = Int(text) else { throw .badRequest("offset must be an integer.") }
        guard offset >= 0 else { throw .badRequest("offset must be >= 0") }
        guard offset <= 0x7FFF_FFFF else { throw .badRequest("offset must be <= \(0x7FFF_FFFF)") }
        return offset
    }
}

extension APICall {
    /// Where the project's volumes are, with `/` at the end, as the caller addressed them.
    var volumeURL: String {
        let project = parameter("project_id")
        return "\(baseURL)/volume/v3/\(project.isEmpty ? "" : project + "/")"
    }

    /// `self` and `bookmark`.
    func volumeLinks(_ path: String) -> JSON {
        let project = parameter("project_id")
        return [
            ["rel": "self", "href": .string(volumeURL + path)],
            [
                "rel": "bookmark",
                "href": .string("\(baseURL)/volume/\(project.isEmpty ? "" : project + "/")\(path)")
            ]
        ]
    }

    /// Who asks, and for which project.
    func volumeOrigin() throws -> Origin {
        Origin(
            permissions: try permissions(), project: try requireProject().project, requestID: requestID, now: now)
    }

    func requireVersion(_ minor: Int) throws {
        guard microversion.has(minor) else { throw APIError.notFound("The resource could not be found.") }
    }
}

extension Route {
    /// A route below a project, which must be the caller's own; from 3.67 on also without it (``withoutProject``).
    static func volume(
        _ method: HTTPRequest.Method, _ path: String, action: String = "",
        handler: @escaping @Sendable (APICall) async throws -> APIResponse
    ) -> Route {
        Route(method, "/v3/{project_id}" + path, action: action) { call in
            let (_, project) = try call.requireProject()
            if let named = call.parameters["project_id"] {
                guard ProjectID(named) == project else { throw APIError.badRequest("Malformed request url") }
            } else {
                try call.requireVersion(67)
            }
            return try await handler(call)
        }
    }
}

extension Route {
    /// The same route for callers that leave the project out: it is the token's.
    var withoutProject: Route? {
        guard path.hasPrefix("/v3/{project_id}/") else { return nil }
        var route = self
        route.path = path.replacing("/v3/{project_id}/", with: "/v3/", maxReplacements: 1)
        return route
    }
}

/// Times as the volume API writes them.
func volumeTime(_ microseconds: Int64?) -> JSON { JSON(microseconds.map(Timestamp.microsWithoutZone)) }
