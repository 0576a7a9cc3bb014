/// The usual five calls of one kind of resource: what is particular to it is said in a value, and the calls are the same
/// for all. What a kind does not have (no change, no `DELETE`) it leaves out.
///
/// Rules that decide by the resource are asked by the kind itself, in the transaction that changes it.
public struct ResourceRoutes<Item: Sendable, Draft: Sendable, Change: Sendable>: Sendable {
    public typealias Members = [String: JSON]

    public let names: ResourceNames
    public let conventions: ResourceConventions
    /// What the list is filtered and sorted by.
    public let schema: ListSchema
    /// What the caller sees, in the list's order.
    public let list: @Sendable (ListQuery, APICall, any SQLReader) throws -> [Item]
    /// By what the path says, as the client wrote it.
    /// - Throws: ``APIError`` 404, also for what the caller may not see.
    public let find: @Sendable (String, APICall, any SQLReader) throws -> Item
    /// The item as the caller sees it.
    public let view: @Sendable (Item, APICall) -> (id: String, members: Members)

    /// Reads the object that a creating call sends; form only.
    public var draft: (@Sendable (JSON, APICall) throws -> Draft)?
    public var create: (@Sendable (Draft, APICall, any SQLTransaction) throws -> Item)?
    /// Reads the object that a changing call sends; form only.
    public var change: (@Sendable (JSON, APICall) throws -> Change)?
    public var update: (@Sendable (Item, Change, APICall, any SQLTransaction) throws -> Item)?
    public var delete: (@Sendable (Item, APICall, any SQLTransaction) throws -> Void)?
    /// Rules that creating or changing may ask beside the call's own: `create_network:shared`.
    public var furtherRules: [ResourceVerb: [String]] = [:]

    public init(
        _ names: ResourceNames, _ conventions: ResourceConventions, schema: ListSchema,
        list: @escaping @Sendable (ListQuery, APICall, any SQLReader) throws -> [Item],
        find: @escaping @Sendable (String, APICall, any SQLReader) throws -> Item,
        view: @escaping @Sendable (Item, APICall) -> (id: String, members: Members)
    ) {
        self.names = names
        self.conventions = conventions
        self.schema = schema
        self.list = list
        self.find = find
        self.view = view
    }

    public var routes: [Route] { reading + writing }

    private var member: String { "\(names.path)/{id}" }

    private func rule(_ verb: ResourceVerb) -> String { conventions.rule(verb, names) }

    private var reading: [Route] {
        [
            Route(.get, names.path, handler: listItems).gated(by: rule(.list)),
            Route(.get, member, handler: showItem).gated(by: rule(.get))
        ]
    }

    private var writing: [Route] {
        var routes: [Route] = []
        if let draft, let create {
            routes.append(
                asking(
                    .create,
                    Route(.post, names.path, action: "\(names.action).create") {
                        try await createItems($0, draft, create)
                    }))
        }
        if let change, let update {
            routes.append(
                asking(
                    .update,
                    Route(
                        conventions.updates == .put ? .put : .patch, member, action: "\(names.action).update"
                    ) { try await updateItem($0, change, update) }))
        }
        if let delete {
            routes.append(
                asking(
                    .delete,
                    Route(.delete, member, action: "\(names.action).delete") {
                        try await deleteItem($0, delete)
                    }))
        }
        return routes
    }

    private func asking(_ verb: ResourceVerb, _ route: Route) -> Route {
        (furtherRules[verb] ?? []).reduce(route.asking(rule(verb))) { $0.asking($1) }
    }

    // MARK: Reading

    @Sendable private func listItems(_ call: APICall) async throws -> APIResponse {
        let query = try conventions.list.read(call, schema)
        let items = try await call.database.read { reader in
            try conventions.list.found { try list(query, call, reader) }
        }
        let views = items.map { view($0, call) }
        let page = ListPage(collection: names.plural, identities: views.map(\.id), query: query)
        return conventions.list.answer(page, views.map { selected($0.members, call) }, call)
    }

    @Sendable private func showItem(_ call: APICall) async throws -> APIResponse {
        let item = try await call.database.read { try find(call.parameter("id"), call, $0) }
        return .json([names.singular: selected(view(item, call).members, call)])
    }

    private func selected(_ members: Members, _ call: APICall) -> JSON {
        guard conventions.selectsFields else { return .object(members) }
        let fields = Set(call.queryAll("fields").flatMap { $0.split(separator: ",").map(String.init) })
        return .object(fields.isEmpty ? members : members.filter { fields.contains($0.key) })
    }

    // MARK: Writing

    private func createItems(
        _ call: APICall, _ draft: @Sendable (JSON, APICall) throws -> Draft,
        _ create: @escaping @Sendable (Draft, APICall, any SQLTransaction) throws -> Item
    ) async throws -> APIResponse {
        let (objects, areMany) = try objects(try await call.json())
        let drafts = try objects.map { try draft($0, call) }
        let named: @Sendable ([Item]) -> String = { items in
            items.prefix(8).map { view($0, call).id }.joined(separator: ",")
        }
        let made = try await call.write(target: named) { transaction in
            try drafts.map { try create($0, call, transaction) }
        }
        let views = made.map { JSON.object(view($0, call).members) }
        let body: JSON = areMany ? [names.plural: .array(views)] : [names.singular: views.first ?? [:]]
        return .json(body, status: conventions.createdStatus)
    }

    private func updateItem(
        _ call: APICall, _ change: @Sendable (JSON, APICall) throws -> Change,
        _ update: @escaping @Sendable (Item, Change, APICall, any SQLTransaction) throws -> Item
    ) async throws -> APIResponse {
        let wanted = try change(try object(try await call.json()), call)
        let item = try await call.write { transaction in
            try update(try find(call.parameter("id"), call, transaction), wanted, call, transaction)
        }
        return .json([names.singular: .object(view(item, call).members)])
    }

    private func deleteItem(
        _ call: APICall, _ delete: @escaping @Sendable (Item, APICall, any SQLTransaction) throws -> Void
    ) async throws -> APIResponse {
        try await call.write { try delete(try find(call.parameter("id"), call, $0), call, $0) }
        return .empty(conventions.deletedStatus)
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
