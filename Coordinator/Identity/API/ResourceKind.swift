import CoordinatorPlatform
import ProtocolModel

/// What is particular to one kind of record; ``routes(_:)`` is the same for all of them.
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
    /// Between the version and the collection's name, with a slash at its end: `OS-EP-FILTER/`.
    var place = ""
    /// Conditions on the list that are no comparison of a member.
    var isListed: @Sendable (Record, APICall) -> Bool = { _, _ in true }
    /// Rows that must be written along, before the record's own; returns what then changes in memory.
    var beforeWrite: @Sendable (Record, any SQLTransaction) throws -> @Sendable (inout IdentityState) -> Void = {
        _, _ in { _ in }
    }
    /// Rows that must go along, before the record's own. May refuse, with what else is in the way.
    var beforeDelete: @Sendable (Record, APICall, IdentityService, any SQLTransaction) throws -> Void = { _, _, _, _ in
    }
    /// Takes the place of the usual removal.
    var erase: (@Sendable (Record, APICall, IdentityService) async throws -> Void)?
    /// How a missing one is called in the refusal: `project: 1234`.
    var title: (@Sendable (_ key: String) -> String)?
    /// What the refusal of a second one of the same name says, instead of the usual words.
    var conflict: (@Sendable (Record) -> String)?
}

extension ResourceKind {
    func routes(_ identity: IdentityService) -> [Route] {
        [
            Route(.get, collectionPath) { try await list($0, identity) }.asking(
                "identity:list_\(plural)", "identity:get_\(singular)"),
            Route(.post, collectionPath, action: "identity.\(singular).create") { try await create($0, identity) }
                .asking("identity:create_\(singular)")
        ] + memberRoutes(identity)
    }

    func memberRoutes(_ identity: IdentityService) -> [Route] {
        [
            Route(.get, memberPath) { try await show($0, identity) }.asking("identity:get_\(singular)"),
            Route(.patch, memberPath, action: "identity.\(singular).update") { try await update($0, identity) }.asking(
                "identity:update_\(singular)"),
            Route(.delete, memberPath, action: "identity.\(singular).delete") { try await delete($0, identity) }.asking(
                "identity:delete_\(singular)")
        ]
    }

    var collectionPath: String { "/v3/\(place)\(plural)" }
    var memberPath: String { "\(collectionPath)/{key}" }

    /// The record as the API shows it.
    func rendered(_ record: Record, _ call: APICall) -> JSON {
        Rendering.single(render(record), "\(place)\(plural)/\(record.key)", call)
    }

    func list(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        try call.authorize("identity:list_\(plural)", domain: Self.scope(call))
        let tests = try ListFilter.parse(call.query, names: filters)
        let items = all(identity.directory.state).compactMap { record -> Rendering.Item? in
            let target = target(record)
            guard isListed(record, call),
                call.isAllowed("identity:get_\(singular)", target)
            else { return nil }
            let members = render(record)
            guard tests.allSatisfy({ $0.matches(members) }) else { return nil }
            return Rendering.Item(key: record.key, name: members["name"]?.stringValue ?? record.key) {
                rendered(record, call)
            }
        }
        return try Rendering.page(plural, items, call)
    }

    /// The domain that the caller's token is for.
    static func scope(_ call: APICall) -> String? {
        if case .domain(let key)? = call.caller?.scope { key } else { nil }
    }

    /// The record of the path.
    /// - Throws: ``APIError`` 404, also for what the caller may not even see.
    func record(_ call: APICall, _ identity: IdentityService, rule: String) throws -> Record {
        let key = call.parameter("key")
        guard let record = find(identity.directory.state, key) else {
            // Only who may see all kinds of it learns that it is not there; others get the refusal they would get
            // anyway.
            try call.authorize("identity:\(rule)")
            throw notFound(key)
        }
        let target = target(record)
        try call.authorize("identity:\(rule)", target)
        return record
    }

    func show(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        let record = try record(call, identity, rule: "get_\(singular)")
        return .json([singular: rendered(record, call)])
    }

    func create(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        try await create(try await IdentityService.fields(call, at: singular), call, identity)
    }

    func create(_ fields: Fields, _ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        let record: Record
        do {
            record = try await make(fields, call, identity.directory.state)
        } catch let error as APIError {
            // Who may not make any must not learn from the refusal what there is.
            try call.authorize("identity:create_\(singular)", domain: Self.scope(call))
            throw error
        }
        let target = target(record)
        try call.authorize("identity:create_\(singular)", project: target.project, domain: target.domain)
        do {
            try await identity.create(record, call, before: beforeWrite) { put(&$0, record) }
        } catch StoreError.duplicate {
            throw duplicate(record)
        }
        return .json([singular: rendered(record, call)], status: 201)
    }

    func update(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        let old = try record(call, identity, rule: "update_\(singular)")
        let fields = try await IdentityService.fields(call, at: singular)
        if let id = fields["id"], !id.isNull, id != .string(old.key) { throw APIError.badRequest("Cannot change ID") }
        var changed = old
        try await change(&changed, fields, call, identity.directory.state)
        let stored: Record
        do {
            stored = try await identity.update(changed, call, before: beforeWrite, apply: put)
        } catch StoreError.duplicate {
            throw duplicate(changed)
        }
        return .json([singular: rendered(stored, call)])
    }

    func delete(_ call: APICall, _ identity: IdentityService) async throws -> APIResponse {
        let record = try record(call, identity, rule: "delete_\(singular)")
        try checkDelete(record, identity.directory.state)
        if let erase {
            try await erase(record, call, identity)
            return .empty(204)
        }
        try await identity.delete(
            record, call, before: { try beforeDelete(record, call, identity, $0) }, apply: { remove(&$0, record) })
        return .empty(204)
    }

    private func notFound(_ key: String) -> APIError {
        .notFound("Could not find \(title?(key) ?? "\(singular): \(key)").")
    }

    private func duplicate(_ record: Record) -> APIError {
        if let conflict { return .conflict("Conflict occurred attempting to store \(conflict(record)).") }
        let members = render(record)
        guard let name = members["name"]?.stringValue else {
            return .conflict("Conflict occurred attempting to store \(singular) - Duplicate ID, \(record.key).")
        }
        let place = members["domain_id"]?.stringValue.map { " at domain ID \($0)" } ?? ""
        return .conflict(
            "Conflict occurred attempting to store \(singular) - Duplicate entry found with name \(name)\(place).")
    }
}
