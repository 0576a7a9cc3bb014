/// The usual five calls of one kind of resource: what is particular to it is said in a value, and the calls are the same
/// for all. What a kind does not have (no change, no `DELETE`) it leaves out.
///
/// Rules that decide by the resource are asked by the kind itself, in the transaction that changes it.
public struct ResourceRoutes<Item: Sendable, Draft: Sendable, Change: Sendable>: Sendable {
    public typealias Members = [String: JSON]

    public let names: ResourceNames
    public let conventions: ResourceConventions
    private let source: Source
    /// The item as the caller sees it.
    public let view: @Sendable (Item, APICall) -> (id: String, members: Members)

    /// Reads the object that a creating call sends; form only.
    public var draft: (@Sendable (JSON, APICall) async throws -> Draft)?
    public var create: (@Sendable (Draft, APICall, any SQLTransaction) throws -> Item)?
    /// Reads the object that a changing call sends; form only.
    public var change: (@Sendable (JSON, APICall) async throws -> Change)?
    public var update: (@Sendable (Item, Change, APICall, any SQLTransaction) throws -> Item)?
    public var delete: (@Sendable (Item, APICall, any SQLTransaction) throws -> Void)?
    /// What a list call makes sure of before it looks, once its query is known to be good.
    public var prepareList: (@Sendable (APICall) async throws -> Void)?
    /// Rules that creating or changing may ask beside the call's own: `create_network:shared`.
    public var furtherRules: [ResourceVerb: [String]] = [:]

    /// Where items come from.
    private enum Source: Sendable {
        case rows(
            ListSchema, list: @Sendable (ListQuery, APICall, any SQLReader) throws -> [Item],
            find: @Sendable (String, APICall, any SQLReader) throws -> Item)
        case memory(MemorySource)
    }

    private struct MemorySource: Sendable {
        let filters: Set<String>
        let flags: Set<String>
        let all: @Sendable (APICall) throws -> [Item]
        let find: @Sendable (String, APICall, ResourceVerb) throws -> Item
    }

    /// A kind whose items are rows.
    /// - Parameters:
    ///   - schema: What the list is filtered and sorted by.
    ///   - list: What the caller sees, in the list's order.
    ///   - find: By what the path says, as the client wrote it. Throws ``APIError`` 404, also for what the caller may
    ///     not see.
    public init(
        _ names: ResourceNames, _ conventions: ResourceConventions, schema: ListSchema,
        list: @escaping @Sendable (ListQuery, APICall, any SQLReader) throws -> [Item],
        find: @escaping @Sendable (String, APICall, any SQLReader) throws -> Item,
        view: @escaping @Sendable (Item, APICall) -> (id: String, members: Members)
    ) {
        self.names = names
        self.conventions = conventions
        source = .rows(schema, list: list, find: find)
        self.view = view
    }

    /// A kind whose items are kept in memory. It asks the rules of its calls itself, and before a body is read.
    /// - Parameters:
    ///   - filters: Members that lists are filtered by.
    ///   - flags: Those of them that are true or false.
    ///   - all: What the caller sees, in any order: whole lists are shown by `name`, pages by identity.
    ///   - find: By what the path says, for a call. Throws ``APIError`` 404, also for what the caller may not see.
    public init(
        _ names: ResourceNames, _ conventions: ResourceConventions, filters: Set<String>, flags: Set<String>,
        all: @escaping @Sendable (APICall) throws -> [Item],
        find: @escaping @Sendable (String, APICall, ResourceVerb) throws -> Item,
        view: @escaping @Sendable (Item, APICall) -> (id: String, members: Members)
    ) {
        self.names = names
        self.conventions = conventions
        source = .memory(MemorySource(filters: filters, flags: flags, all: all, find: find))
        self.view = view
    }

    public var routes: [Route] { reading + writing }

    private var member: String { "\(names.path)/{id}" }

    private func rule(_ verb: ResourceVerb) -> String { conventions.rule(verb, names) }

    private var reading: [Route] {
        let list = Route(.get, names.path, handler: answerList), show = Route(.get, member, handler: answerShow)
        return switch source {
        case .rows: [list.gated(by: rule(.list)), show.gated(by: rule(.get))]
        case .memory: [list.asking(rule(.list), rule(.get)), show.asking(rule(.get))]
        }
    }

    private var writing: [Route] {
        var routes: [Route] = []
        if draft != nil, create != nil {
            routes.append(
                asking(.create, Route(.post, names.path, action: "\(names.action).create", handler: answerCreate)))
        }
        if change != nil, update != nil {
            let update = Route(
                conventions.updates == .put ? .put : .patch, member, action: "\(names.action).update",
                handler: answerUpdate)
            routes.append(asking(.update, update))
        }
        if delete != nil {
            routes.append(
                asking(.delete, Route(.delete, member, action: "\(names.action).delete", handler: answerDelete)))
        }
        return routes
    }

    private func asking(_ verb: ResourceVerb, _ route: Route) -> Route {
        (furtherRules[verb] ?? []).reduce(route.asking(rule(verb))) { $0.asking($1) }
    }

    // MARK: Reading

    @Sendable public func answerList(_ call: APICall) async throws -> APIResponse {
        switch source {
        case .memory(let memory): return try answerList(call, memory)
        case .rows(let schema, let list, _):
            let query = try conventions.list.read(call, schema)
            try await prepareList?(call)
            let items = try await call.database.read { reader in
                try conventions.list.found { try list(query, call, reader) }
            }
            let views = items.map { view($0, call) }
            let page = ListPage(collection: names.plural, identities: views.map(\.id), query: query)
            return conventions.list.answer(page, views.map { selected($0.members, call) }, call)
        }
    }

    private func answerList(_ call: APICall, _ memory: MemorySource) throws -> APIResponse {
        let items = try memory.all(call).map { view($0, call) }
        return try conventions.list.answer(
            items, names.plural, filters: memory.filters, flags: memory.flags, call, selected)
    }

    @Sendable public func answerShow(_ call: APICall) async throws -> APIResponse {
        let item =
            switch source {
            case .memory(let memory): try memory.find(call.parameter("id"), call, .get)
            case .rows(_, _, let find): try await call.database.read { try find(call.parameter("id"), call, $0) }
            }
        return .json([names.singular: selected(view(item, call).members, call)])
    }

    private func selected(_ members: Members, _ call: APICall) -> JSON {
        guard conventions.selectsFields else { return .object(members) }
        let fields = Set(call.queryAll("fields").flatMap { $0.split(separator: ",").map(String.init) })
        return .object(fields.isEmpty ? members : members.filter { fields.contains($0.key) })
    }

    // MARK: Writing

    @Sendable public func answerCreate(_ call: APICall) async throws -> APIResponse {
        guard let draft, let create else { throw call.words.unknownPath }
        let (objects, areMany) = try objects(try await call.json())
        var drafts: [Draft] = []
        for object in objects { drafts.append(try await draft(object, call)) }
        let named: @Sendable ([Item]) -> String = { items in
            items.prefix(8).map { view($0, call).id }.joined(separator: ",")
        }
        let wanted = drafts
        let made = try await write(call, target: named) { transaction in
            try wanted.map { try create($0, call, transaction) }
        }
        let views = made.map { JSON.object(view($0, call).members) }
        let body: JSON = areMany ? [names.plural: .array(views)] : [names.singular: views.first ?? [:]]
        return .json(body, status: conventions.createdStatus)
    }

    @Sendable public func answerUpdate(_ call: APICall) async throws -> APIResponse {
        guard let change, let update else { throw call.words.unknownPath }
        try precheck(call, .update)
        let wanted = try await change(try object(try await call.json()), call)
        let item = try await write(call, target: { identity(of: $0, call) }) { transaction in
            try update(try found(call, .update, transaction), wanted, call, transaction)
        }
        return .json([names.singular: .object(view(item, call).members)])
    }

    @Sendable public func answerDelete(_ call: APICall) async throws -> APIResponse {
        guard let delete else { throw call.words.unknownPath }
        try precheck(call, .delete)
        try await write(call, target: { $0 }) { transaction in
            let item = try found(call, .delete, transaction)
            try delete(item, call, transaction)
            return identity(of: item, call)
        }
        return .empty(conventions.deletedStatus)
    }

    @discardableResult
    private func write<T: Sendable>(
        _ call: APICall, target: @escaping @Sendable (T) -> String,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws -> T {
        do { return try await call.write(target: target, body) } catch { throw conventions.refused(error) }
    }

    /// For the event log. Rows are called by their identity; what is shown of them may ask rules of its own.
    private func identity(of item: Item, _ call: APICall) -> String {
        if case .memory = source { view(item, call).id } else { call.parameter("id") }
    }

    /// Items in memory can be asked for before a body is read, and before the writer is troubled.
    private func precheck(_ call: APICall, _ verb: ResourceVerb) throws {
        if case .memory(let memory) = source { _ = try memory.find(call.parameter("id"), call, verb) }
    }

    private func found(_ call: APICall, _ verb: ResourceVerb, _ transaction: any SQLTransaction) throws -> Item {
        switch source {
        case .memory(let memory): try memory.find(call.parameter("id"), call, verb)
        case .rows(_, _, let find): try find(call.parameter("id"), call, transaction)
        }
    }

    /// The object below the resource's name.
    private func object(_ body: JSON) throws(APIError) -> JSON {
        guard let object = body[names.singular] else {
            throw conventions.body(BodyFailure(.missing(names.singular), body))
        }
        return object
    }

    private func objects(_ body: JSON) throws(APIError) -> (objects: [JSON], areMany: Bool) {
        guard conventions.takesMany, let many = body[names.plural] else { return ([try object(body)], false) }
        guard let objects = many.arrayValue, !objects.isEmpty else {
            throw conventions.body(BodyFailure(.tooFew(least: 1), many, path: [names.plural]))
        }
        guard objects.count <= ResourceConventions.mostAtOnce else {
            throw conventions.body(
                BodyFailure(.tooMany(most: ResourceConventions.mostAtOnce), many, path: [names.plural]))
        }
        return (objects.map { $0[names.singular] ?? $0 }, true)
    }
}
