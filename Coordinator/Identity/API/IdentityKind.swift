import CoordinatorPlatform
import ProtocolModel

/// What is particular to one kind of record; the calls are ``ResourceRoutes``, out of memory.
struct IdentityKind<Record: StoredRecord>: Sendable {
    /// What a body is read with beside its form.
    struct Input: Sendable {
        let members: [String: JSON]
        let call: APICall
        let state: IdentityState
        /// What ``prepare`` made of the body.
        var hash: String?

        /// The domain that a new record is to stand in.
        /// - Parameter key: As the body says it; empty for nothing.
        func domain(_ key: String) throws(APIError) -> String {
            guard !key.isEmpty else { return call.scopeDomain ?? Domain.defaultKey }
            guard state.domains[key] != nil else { throw IdentityAPI.notFound("domain", key) }
            return key
        }
    }

    typealias Draft = (json: JSON, hash: String?)

    let names: ResourceNames
    /// Members that filter the list.
    let filters: Set<String>
    let render: @Sendable (Record) -> [String: JSON]
    /// What a body may hold; it is read over the record that it changes.
    let schema: BodySchema<Record>
    /// Completes and checks what was read.
    let complete: @Sendable (_ record: inout Record, _ old: Record?, Input) throws -> Void
    var target: @Sendable (Record) -> Policy.Target = { _ in Policy.Target() }
    /// Members that have a meaning elsewhere, and are not kept.
    var ignored: Set<String> = []
    /// Conditions on the list that are no comparison of a member.
    var isListed: @Sendable (Record, APICall) -> Bool = { _, _ in true }
    /// What takes long, once it is known that the caller may.
    var prepare: (@Sendable (JSON) async throws -> String?)?
    /// What must be written along, before the record.
    var beforeWrite: @Sendable (Record, inout IdentityEdit) throws -> Void = { _, _ in }
    /// What must go along, before the record. May refuse, with what else is in the way.
    var beforeDelete: @Sendable (Record, APICall, inout IdentityEdit) throws -> Void = { _, _, _ in }
    /// How a missing one is called in the refusal: `project: 1234`.
    var title: (@Sendable (_ key: String) -> String)?
    /// What the refusal of a second one of the same name says, instead of the usual words.
    var conflict: (@Sendable (Record) -> String)?

    /// - Parameter place: Between the version and the collection's name, with a slash at its end.
    static func names(_ singular: String, _ plural: String, place: String = "") -> ResourceNames {
        ResourceNames(singular, plural, path: "/v3/\(place)\(plural)", action: "identity.\(singular)")
    }

    func rule(_ verb: ResourceVerb) -> String { Keystone.conventions.rule(verb, names) }

    // MARK: - Calls

    func resource(_ identity: IdentityService) -> ResourceRoutes<Record, Draft, Draft> {
        var routes = ResourceRoutes<Record, Draft, Draft>(
            names, Keystone.conventions, filters: filters, flags: Keystone.flags,
            all: { call in
                try call.authorize(rule(.list), domain: call.scopeDomain)
                return Record.all(in: identity.directory.state)
                    .filter { isListed($0, call) && call.isAllowed(rule(.get), target($0)) }
            },
            find: { key, call, verb in try record(key, call, rule(verb), identity.directory.state) },
            view: { record, call in (record.key, linked(record, call)) })
        routes.draft = { json, call in try await draft(json, nil, call, identity) }
        routes.create = { draft, call, transaction in
            try identity.edit(in: transaction) { try create(draft, call, in: &$0) }
        }
        routes.change = { json, call in
            let state = identity.directory.state
            return try await draft(json, try record(call.parameter("id"), call, rule(.update), state), call, identity)
        }
        routes.update = { old, draft, call, transaction in
            try identity.edit(in: transaction) { edit in
                try update(try record(old.key, call, rule(.update), edit.state), draft, call, in: &edit)
            }
        }
        routes.delete = { old, call, transaction in
            try identity.edit(in: transaction) { edit in
                let record = try record(old.key, call, rule(.delete), edit.state)
                try beforeDelete(record, call, &edit)
                try edit.delete(record)
            }
        }
        return routes
    }

    func routes(_ identity: IdentityService) -> [Route] { resource(identity).routes }

    /// The record as the API shows it.
    func linked(_ record: Record, _ call: APICall) -> [String: JSON] {
        Keystone.linked(render(record), "\(names.path.dropFirst(4))/\(record.key)", call)
    }

    func rendered(_ record: Record, _ call: APICall) -> JSON { .object(linked(record, call)) }

    /// - Throws: ``APIError`` 404, also for what the caller may not even see.
    func record(_ key: String, _ call: APICall, _ rule: String, _ state: IdentityState) throws -> Record {
        guard let record = Record.find(key, in: state) else {
            // Only who may see all kinds of it learns that it is not there; others get the refusal they would get
            // anyway.
            try call.authorize(rule)
            throw APIError.notFound("Could not find \(title?(key) ?? "\(names.singular): \(key)").")
        }
        try call.authorize(rule, target(record))
        return record
    }

    // MARK: - Bodies

    /// Reads a body, over a record or as a new one.
    /// - Parameter place: The body's place in the request, for refusals.
    func read(_ json: JSON, over old: Record?, at place: [String]? = nil, _ input: Input) throws -> Record {
        if let old, let id = json["id"], !id.isNull, id != .string(old.key) {
            throw APIError.badRequest("Cannot change ID")
        }
        var record: Record
        do throws(BodyFailure) {
            if let old {
                record = try schema.read(json, over: old)
            } else {
                record = try schema.read(json, Microversion(0, 0))
            }
        } catch {
            throw Keystone.body((place ?? [names.singular]).reversed().reduce(error) { $0.below($1) })
        }
        for name in ignored.union(Self.reserved) { record.extra.removeValue(forKey: name) }
        // A member is taken away by saying that it is nothing.
        if old != nil { record.extra = record.extra.filter { !$0.value.isNull } }
        try complete(&record, old, input)
        return record
    }

    private static var reserved: Set<String> { ["id", "links", "password_expires_at"] }

    private func input(_ draft: Draft, _ call: APICall, _ state: IdentityState) -> Input {
        Input(members: draft.json.objectValue ?? [:], call: call, state: state, hash: draft.hash)
    }

    /// Checks a body by what is known, and does what takes long.
    func draft(_ json: JSON, _ old: Record?, _ call: APICall, _ identity: IdentityService) async throws -> Draft {
        var draft = Draft(json: json, hash: nil)
        if old == nil { _ = try new(draft, call, identity.directory.state) }
        if let old { _ = try read(json, over: old, input(draft, call, identity.directory.state)) }
        if let prepare { draft.hash = try await prepare(json) }
        return draft
    }

    private func new(_ draft: Draft, _ call: APICall, _ state: IdentityState) throws -> Record {
        let record: Record
        do { record = try read(draft.json, over: nil, input(draft, call, state)) } catch let error as APIError {
            // Who may not make any must not learn from the refusal what there is.
            try call.authorize(rule(.create), domain: call.scopeDomain)
            throw error
        }
        let target = target(record)
        try call.authorize(rule(.create), project: target.project, domain: target.domain)
        return record
    }

    func create(_ draft: Draft, _ call: APICall, in edit: inout IdentityEdit) throws -> Record {
        let record = try new(draft, call, edit.state)
        return try storing(record) {
            try beforeWrite(record, &edit)
            try edit.insert(record)
            return record
        }
    }

    func update(_ old: Record, _ draft: Draft, _ call: APICall, in edit: inout IdentityEdit) throws -> Record {
        let record = try read(draft.json, over: old, input(draft, call, edit.state))
        return try storing(record) {
            try beforeWrite(record, &edit)
            return try edit.update(record)
        }
    }

    /// Stores what a body of another kind's name says.
    func stored(
        _ json: JSON, over old: Record?, called name: String, _ call: APICall, in edit: inout IdentityEdit
    ) throws -> Record {
        let record = try read(json, over: old, at: [name], input((json, nil), call, edit.state))
        return try storing(record) {
            if old != nil { return try edit.update(record) }
            try edit.insert(record)
            return record
        }
    }

    private func storing(_ record: Record, _ body: () throws -> Record) throws -> Record {
        do { return try body() } catch StoreError.duplicate { throw duplicate(record) }
    }

    private func duplicate(_ record: Record) -> APIError {
        if let conflict { return Keystone.duplicate(conflict(record)) }
        let members = render(record)
        guard let name = members["name"]?.stringValue else {
            return Keystone.duplicate("\(names.singular) - Duplicate ID, \(record.key)")
        }
        let place = members["domain_id"]?.stringValue.map { " at domain ID \($0)" } ?? ""
        return Keystone.duplicate("\(names.singular) - Duplicate entry found with name \(name)\(place)")
    }
}
