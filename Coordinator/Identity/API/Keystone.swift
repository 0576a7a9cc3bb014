import CoordinatorPlatform
import ProtocolModel

/// How the identity API reads bodies and lists and answers: its words and habits, as values for the kernel.
enum Keystone {
    /// `Invalid input for field 'name': ...`
    static let body: BodyWording = { failure in
        guard let last = failure.path.last else { return .badRequest(failure.text) }
        // Places in lists, and options, are told with what they are in.
        let isPart = Int(last) != nil || last == "immutable"
        let field = failure.path.suffix(isPart ? 2 : 1).joined(separator: "/")
        return .badRequest("Invalid input for field '\(field)': \(failure.text)")
    }

    static let list = ListDialect(
        zeroMeansAll: true, control: ["limit", "marker"], repeatsNarrow: true,
        // As oslo.utils reads it: everything but its words for no is a yes, also nothing at all.
        flag: flag, comparison: comparison,
        refusal: { fault in
            switch fault {
            case .limit(let text) where !text.isEmpty:
                .badRequest(
                    "Invalid input for field 'limit': \(JSON.string(text).pythonQuoted) is not of type 'integer'")
            case .unknownMarker(let marker): .notFound("Marker \(marker) could not be found.")
            default: nil
            }
        },
        links: { page, call in
            let own = call.baseURL + call.path
            let next = page.goesOn == true ? own + call.query(marker: page.last) : nil
            let links: JSON = [
                "next": JSON(next), "previous": nil, "self": .string(own + PercentCoding.text(call.query))
            ]
            return page.goesOn == true ? ["links": links, "truncated": true] : ["links": links]
        })

    static let conventions = ResourceConventions(
        list: list, body: body, updates: .patch,
        rule: { verb, names in
            verb == .list ? "identity:list_\(names.plural)" : "identity:\(verb.rawValue)_\(names.singular)"
        })

    /// A word of a query for true or false.
    static let flag: @Sendable (String) -> Bool = { BooleanWords.loose($0) ?? true }

    private static let comparisons: [Substring: ListQuery.Comparison] = [
        "contains": .contains, "icontains": .containsFolded, "startswith": .startsWith,
        "istartswith": .startsWithFolded, "endswith": .endsWith, "iendswith": .endsWithFolded
    ]

    /// `name__contains`: two underscores part the name from the comparison.
    private static let comparison: @Sendable (String, String) -> ListQuery.Filter = { parameter, value in
        guard let mark = parameter.ranges(of: "__").last,
            let comparison = comparisons[parameter[mark.upperBound...]]
        else { return ListQuery.Filter(parameter, .equal, [value]) }
        return ListQuery.Filter(String(parameter[..<mark.lowerBound]), comparison, [value])
    }

    /// Whether something passes the filters of a call.
    static func filter(
        _ call: APICall, by names: Set<String>
    ) throws(APIError) -> @Sendable ([String: JSON]) -> Bool {
        let filters = try list.read(call.query, isFilter: names.contains, isFlag: flags.contains).filters
        return { members in filters.allSatisfy { $0.matches(members[$0.name]) } }
    }

    static let flags: Set<String> = ["enabled", "is_domain"]

    // MARK: - Answers

    static func link(_ call: APICall, _ path: String) -> String { "\(call.baseURL)\(IdentityAPI.prefix)/v3/\(path)" }

    /// Members with a link to themselves.
    static func linked(_ members: [String: JSON], _ path: String, _ call: APICall) -> [String: JSON] {
        members.merging(["links": ["self": .string(link(call, path))]]) { $1 }
    }

    static func single(_ members: [String: JSON], _ path: String, _ call: APICall) -> JSON {
        .object(linked(members, path, call))
    }

    /// A whole collection, in its order.
    static func collection(_ name: String, _ items: [JSON], _ call: APICall) -> APIResponse {
        list.answer(ListPage(collection: name, identities: [], query: ListQuery()), items, call)
    }

    /// Projects as they were rendered, whole.
    static func projects(_ projects: [[String: JSON]], _ call: APICall) -> APIResponse {
        collection("projects", projects.map { single($0, "projects/\($0["id"]?.stringValue ?? "")", call) }, call)
    }

    // MARK: - Refusals

    /// The refusal of a reference that leads nowhere.
    static func expecting(_ attribute: String, in target: String) -> APIError {
        .badRequest(
            """
            Expecting to find \(attribute) in \(target). The server could not comply with the request since it is \
            either malformed or otherwise incorrect. The client is assumed to be in error.
            """)
    }

    static func duplicate(_ what: String) -> APIError { .conflict("Conflict occurred attempting to store \(what).") }

    /// What the body says in member `name`, read by a schema.
    static func read<Body>(_ schema: BodySchema<Body>, _ name: String, _ call: APICall) async throws -> Body {
        try read(try await call.json(), schema, name)
    }

    /// Not inlined: Swift 6.3's optimizer crashes where a typed error is thrown in the middle of an asynchronous function
    /// ("splitting coroutine").
    @inline(never)
    private static func read<Body>(_ json: JSON, _ schema: BodySchema<Body>, _ name: String) throws -> Body {
        try schema.read(json, under: name, isAlone: false, wording: body)
    }
}

extension APICall {
    /// A change of identity with its line in the event log.
    @discardableResult
    func change<T: Sendable>(
        _ identity: IdentityService, target: @escaping @Sendable (T) -> String = { _ in "" },
        _ body: @escaping @Sendable (inout IdentityEdit) throws -> T
    ) async throws -> T {
        try await write(target: target) { try identity.edit(in: $0, body) }
    }

    /// A change of something that is looked for at once, so that refusals come early, and again where it is changed.
    func change<Found>(
        _ identity: IdentityService, _ find: @escaping @Sendable (IdentityState) throws -> Found,
        target: @escaping @Sendable (Found) -> String = { _ in "" },
        _ body: @escaping @Sendable (Found, inout IdentityEdit) throws -> Void
    ) async throws -> APIResponse {
        _ = try find(identity.directory.state)
        try await change(identity, target: { $0 }) { edit in
            let found = try find(edit.state)
            try body(found, &edit)
            return target(found)
        }
        return .empty(204)
    }

    /// - Parameter check: What may be in the way.
    func delete<Record: StoredRecord>(
        _ identity: IdentityService,
        unless check: @escaping @Sendable (Record, IdentityState) throws -> Void = { _, _ in },
        _ find: @escaping @Sendable (IdentityState) throws -> Record
    ) async throws -> APIResponse {
        try await change(identity, find, target: { $0.key }) { record, edit in
            try check(record, edit.state)
            try edit.delete(record)
        }
    }

    /// The same for a removal that may be carried out in part: the event log then has what was done, which is no
    /// deletion, beside the refusal.
    func remove(
        _ identity: IdentityService, target: String, clearing: String,
        _ body: @escaping @Sendable (inout IdentityEdit) throws -> APIError?
    ) async throws {
        let refusal = try await write(
            target: { (_: APIError?) in target }, action: { $0 == nil ? nil : clearing },
            { try identity.edit(in: $0, body) })
        if let refusal { throw refusal }
    }

    /// Who has something removed.
    func origin() throws -> RemovalOrigin {
        RemovalOrigin(permissions: try permissions(), requestID: requestID, now: now)
    }

    /// The domain that the caller's token is for.
    var scopeDomain: String? {
        if case .domain(let key)? = caller?.scope { key } else { nil }
    }
}

extension BodyFormat where Value == String {
    /// - Parameter most: Characters; 64 for domains and projects, else 255.
    static func identityName(_ most: Int = 255) -> Self {
        text(1...most, TextRule(.pattern("[\\\\S]+")) { text in text.contains { !$0.isWhitespace } })
    }
}

extension BodyFormat where Value == String {
    /// An identifier, empty for `null`.
    static var referenceOrEmpty: Self { BodyFormat<String?>.reference.map { key, _ in key ?? "" } }
}

extension BodyFormat where Value == String? {
    static func textOrNull(_ length: ClosedRange<Int> = 0...16_384) -> Self {
        BodyFormat<String>.text(length).nullable
    }

    /// An identifier: `null` and nothing at all mean the same.
    static var reference: Self {
        BodyFormat<String>.text(1...64, .characters("-", pattern: "^[a-zA-Z0-9-]+$")).nullable
    }
}

extension BodyFormat where Value == Int64 {
    static func number(_ range: ClosedRange<Int>) -> Self {
        BodyFormat<Int>.integer(range).map { number, _ in Int64(number) }
    }
}

extension BodyField {
    /// A member whose form is checked, and that is read by who knows the rest.
    static func checked<Value>(_ name: String, _ format: BodyFormat<Value>, isRequired: Bool = false) -> Self {
        special(name, isRequired: isRequired) { json, _ throws(BodyFailure) in _ = try format.read(json) }
    }
}

extension BodyField where Body: IdentityRecord {
    /// A member without a meaning of its own, but with a form.
    static func kept<Value>(_ name: String, _ format: BodyFormat<Value>) -> Self {
        special(name) { json, record throws(BodyFailure) in
            _ = try format.read(json)
            record.extra[name] = json
        }
    }

    /// `options` of roles, projects and domains: `immutable`, which `null` resets.
    static var resourceOptions: Self {
        special("options") { json, record throws(BodyFailure) in
            var options = record.extra["options"]?.objectValue ?? [:]
            for (name, value) in try BodyFormat.members.read(json) {
                guard name == "immutable" else { throw BodyFailure(.unexpected([name]), json) }
                switch value {
                case .null: options.removeValue(forKey: name)
                case .bool: options[name] = value
                default: throw BodyFailure(.wrongType(["boolean", "null"]), value, path: [name])
                }
            }
            record.extra["options"] = .object(options)
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
