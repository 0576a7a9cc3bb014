import CoordinatorPlatform
import ProtocolModel

/// What is particular to one kind of record; ``routes`` is the same for all of them.
struct ResourceKind<Record: StoredRecord>: Sendable {
    let singular: String
    let plural: String
    /// Query parameters that filter the list, by the rendered member of that name.
    let filters: Set<String>
    let all: @Sendable (IdentityState) -> [Record]
    let find: @Sendable (IdentityState, String) -> Record?
    let render: @Sendable (Record) -> [String: JSON]
    let target: @Sendable (Record) -> Policy.Target
    /// Reads a new record from the body. Members it does not know become ``IdentityRecord/extra``.
    let make: @Sendable (Fields, APICall, IdentityState) async throws -> Record
    let change: @Sendable (inout Record, Fields, APICall, IdentityState) async throws -> Void
    let checkDelete: @Sendable (Record, IdentityState) throws -> Void
    let put: @Sendable (inout IdentityState, Record) -> Void
    let remove: @Sendable (inout IdentityState, Record) -> Void
}

extension ResourceKind {
    func routes(_ identity: IdentityService) -> [Route] {
        [
            Route(.get, "/v3/\(plural)") { try await list($0, identity) },
            Route(.post, "/v3/\(plural)", action: "identity.\(singular).create") { try await create($0, identity) },
            Route(.get, "/v3/\(plural)/{key}") { try await show($0, identity) },
            Route(.patch, "/v3/\(plural)/{key}", action: "identity.\(singular).update") {
                try await update($0, identity)
            },
            Route(.delete, "/v3/\(plural)/{key}", action: "identity.\(singular).delete") {
                try await delete($0, identity)
            }
        ]
    }

    private func list(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        var domain: String?
        if case .domain(let key)? = call.caller?.scope { domain = key }
        try call.authorize("identity:list_\(plural)", domain: domain)
        let state = identity.directory.state
        let tests = try ListFilter.parse(call.query, names: filters)
        let items = all(state).compactMap { record -> (String, JSON)? in
            let target = target(record)
            guard
                call.isAllowed(
                    "identity:get_\(singular)", project: target.project, domain: target.domain, user: target.user)
            else { return nil }
            let members = render(record)
            guard tests.allSatisfy({ $0.matches(members) }) else { return nil }
            let name = members["name"]?.stringValue ?? record.key
            return (name, Rendering.single(members, "\(plural)/\(record.key)", call))
        }
        return Rendering.collection(plural, items.sorted { $0.0 < $1.0 }.map(\.1), call)
    }

    /// The record of the path.
    /// - Throws: ``APIError`` 404, also for what the caller may not even see.
    func record(_ call: APICall, _ identity: IdentityService, rule: String) throws -> Record {
        let key = call.parameter("key")
        guard let record = find(identity.directory.state, key) else {
            // Only who may see all kinds of it learns that it is not there; others get the refusal they would get
            // anyway.
            try call.authorize("identity:\(rule)")
            throw IdentityAPI.notFound(singular, key)
        }
        let target = target(record)
        try call.authorize("identity:\(rule)", project: target.project, domain: target.domain, user: target.user)
        return record
    }

    private func show(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        let record = try record(call, identity, rule: "get_\(singular)")
        return .json([singular: Rendering.single(render(record), "\(plural)/\(record.key)", call)])
    }

    private func create(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        let fields = try Fields(try await call.json(), at: singular)
        let record = try await make(fields, call, identity.directory.state)
        let target = target(record)
        try call.authorize("identity:create_\(singular)", project: target.project, domain: target.domain)
        do { try await identity.create(record, call) { put(&$0, record) } } catch StoreError.duplicate {
            throw duplicate(record)
        }
        return .json([singular: Rendering.single(render(record), "\(plural)/\(record.key)", call)], status: 201)
    }

    private func update(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        let old = try record(call, identity, rule: "update_\(singular)")
        let fields = try Fields(try await call.json(), at: singular)
        if let id = fields["id"], id != .string(old.key) { throw APIError.badRequest("Cannot change \(singular) ID") }
        var changed = old
        try await change(&changed, fields, call, identity.directory.state)
        let stored: Record
        do { stored = try await identity.update(changed, call, apply: put) } catch StoreError.duplicate {
            throw duplicate(changed)
        }
        return .json([singular: Rendering.single(render(stored), "\(plural)/\(stored.key)", call)])
    }

    private func delete(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        let record = try record(call, identity, rule: "delete_\(singular)")
        try checkDelete(record, identity.directory.state)
        try await identity.delete(record, call) { remove(&$0, record) }
        return .empty(204)
    }

    private func duplicate(_ record: Record) -> APIError {
        let members = render(record)
        guard let name = members["name"]?.stringValue else {
            return .conflict("Conflict occurred attempting to store \(singular) - Duplicate ID, \(record.key).")
        }
        let place = members["domain_id"]?.stringValue.map { " at domain ID \($0)" } ?? ""
        return .conflict(
            "Conflict occurred attempting to store \(singular) - Duplicate entry found with name \(name)\(place).")
    }
}

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
        case .bool(let flag): return flag == !["false", "0", "no", "off"].contains(value.lowercased())
        case .string(let text): return matches(text)
        case .null: return value.isEmpty || value == "null"
        default: return present.text == value
        }
    }

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
