import ProtocolModel

/// The six calls about the tags of a resource: the same in every service, but for rules and words.
public struct TagRoutes<Resource, Owner: Sendable>: Sendable {
    /// Policy rules, by call.
    public struct Rules: Sendable {
        public var list: String
        public var show: String
        public var replace: String
        public var add: String
        public var remove: String
        public var clear: String

        public init(list: String, show: String, replace: String, add: String, remove: String, clear: String) {
            self.list = list
            self.show = show
            self.replace = replace
            self.add = add
            self.remove = remove
            self.clear = clear
        }
    }

    /// The service's words and habits.
    public struct Wording: Sendable {
        public var tag: TextRule
        public var length: ClosedRange<Int>
        /// A tag that no resource could have.
        public var invalid: @Sendable (_ tag: String) -> APIError
        public var missing: @Sendable (_ tag: String, APICall) -> APIError
        public var tooMany: APIError
        /// A list in which some come more than once; `nil` takes each once, and counts it as often as it came.
        public var repeated: (@Sendable ([String]) -> APIError)?
        public var body: BodyWording
        /// The answer to an added tag; the flag tells a new one.
        public var added: @Sendable (_ tag: String, _ isNew: Bool, APICall) -> APIResponse

        public init(
            tag: TextRule, length: ClosedRange<Int>, invalid: @escaping @Sendable (_ tag: String) -> APIError,
            missing: @escaping @Sendable (_ tag: String, APICall) -> APIError, tooMany: APIError,
            repeated: (@Sendable ([String]) -> APIError)? = nil, body: @escaping BodyWording,
            added: @escaping @Sendable (_ tag: String, _ isNew: Bool, APICall) -> APIResponse
        ) {
            self.tag = tag
            self.length = length
            self.invalid = invalid
            self.missing = missing
            self.tooMany = tooMany
            self.repeated = repeated
            self.body = body
            self.added = added
        }
    }

    let path: String
    let action: String
    let tags: TagSet
    let rules: Rules
    let wording: Wording
    /// The resource of the call, once the rule allows it.
    let find: @Sendable (APICall, _ rule: String, any SQLReader) throws -> (id: Identifier<Resource>, owner: Owner)
    /// Runs after every change, in its transaction; it may refuse the change.
    let changed: @Sendable (APICall, Owner, any SQLTransaction) throws -> Void

    /// - Parameters:
    ///   - path: The resource's: `/v2.0/networks/{id}`.
    ///   - action: What the event log calls a change: `network.tag`.
    public init(
        path: String, action: String, tags: TagSet, rules: Rules, wording: Wording,
        find:
            @escaping @Sendable (APICall, _ rule: String, any SQLReader) throws -> (
                id: Identifier<Resource>, owner: Owner
            ),
        changed: @escaping @Sendable (APICall, Owner, any SQLTransaction) throws -> Void = { _, _, _ in }
    ) {
        self.path = "\(path)/tags"
        self.action = action
        self.tags = tags
        self.rules = rules
        self.wording = wording
        self.find = find
        self.changed = changed
    }

    public var routes: [Route] {
        [
            Route(.get, path, handler: list).asking(rules.list),
            Route(.put, path, action: "\(action).replace", handler: replace).asking(rules.replace),
            Route(.delete, path, action: "\(action).clear", handler: clear).asking(rules.clear),
            Route(.get, "\(path)/{tag}", handler: show).asking(rules.show),
            Route(.put, "\(path)/{tag}", action: "\(action).add", handler: add).asking(rules.add),
            Route(.delete, "\(path)/{tag}", action: "\(action).remove", handler: remove).asking(rules.remove)
        ]
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        Self.body(try await read(call, rules.list))
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let tag = call.parameter("tag")
        guard try await read(call, rules.show).contains(tag) else { throw wording.missing(tag, call) }
        return .empty(204)
    }

    @Sendable private func replace(_ call: APICall) async throws -> APIResponse {
        let tag = BodyFormat.text(wording.length, wording.tag)
        let most = wording.repeated == nil ? TagSet.most : 20 * TagSet.most
        let schema = BodySchema<[String]>(blank: [], [.required("tags", \.self, .list(of: tag, most: most))])
        let wanted = try schema.read(try await call.json(), wording: wording.body)
        try refuseRepeated(wanted)
        return Self.body(
            try await change(call, rules.replace) { id, transaction in
                try tags.replace(wanted, of: id, in: transaction)
                return try tags.tags(of: id, in: transaction)
            })
    }

    private func refuseRepeated(_ tags: [String]) throws {
        guard let repeated = wording.repeated else { return }
        let twice = Dictionary(grouping: tags) { $0 }.filter { $0.value.count > 1 }.keys
        if !twice.isEmpty { throw repeated(twice.sorted()) }
    }

    @Sendable private func add(_ call: APICall) async throws -> APIResponse {
        let tag = call.parameter("tag")
        guard wording.length.contains(tag.unicodeScalars.count), wording.tag.accepts(tag) else {
            throw wording.invalid(tag)
        }
        let isNew = try await change(call, rules.add) { try tags.add(tag, to: $0, in: $1) }
        return wording.added(tag, isNew, call)
    }

    @Sendable private func remove(_ call: APICall) async throws -> APIResponse {
        let tag = call.parameter("tag")
        try await change(call, rules.remove) { id, transaction in
            guard try tags.remove(tag, from: id, in: transaction) else { throw wording.missing(tag, call) }
        }
        return .empty(204)
    }

    @Sendable private func clear(_ call: APICall) async throws -> APIResponse {
        try await change(call, rules.clear) { try tags.removeAll(from: $0, in: $1) }
        return .empty(204)
    }

    private func read(_ call: APICall, _ rule: String) async throws -> [String] {
        try await call.database.read { try tags.tags(of: try find(call, rule, $0).id, in: $0) }
    }

    private func change<T: Sendable>(
        _ call: APICall, _ rule: String,
        _ body: @escaping @Sendable (Identifier<Resource>, any SQLTransaction) throws -> T
    ) async throws -> T {
        do {
            return try await call.write { transaction in
                let (id, owner) = try find(call, rule, transaction)
                let result = try body(id, transaction)
                try changed(call, owner, transaction)
                return result
            }
        } catch is TooManyTags { throw wording.tooMany }
    }

    private static func body(_ tags: [String]) -> APIResponse { .json(["tags": .array(tags.map { .string($0) })]) }
}
