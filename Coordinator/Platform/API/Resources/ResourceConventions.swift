/// What all resources of one service have in common in their calls: a value for each service.
public struct ResourceConventions: Sendable {
    public enum UpdateMethod: Sendable, Hashable { case put, patch }

    public var list: ListDialect
    public var body: BodyWording
    public var updates: UpdateMethod
    public var createdStatus: Int
    public var deletedStatus: Int
    /// Whether `{"networks": [{...}, ...]}` makes several at once, all or none.
    public var takesMany: Bool
    /// Whether `fields` chooses members of the answer.
    public var selectsFields: Bool
    /// Puts what a service throws into the answer's words; what it has none for stays what it is.
    public var refused: @Sendable (any Error) -> any Error
    /// The policy's name for a call: `create_network`, `identity:list_projects`.
    public var rule: @Sendable (ResourceVerb, ResourceNames) -> String
    /// Items that one call may make.
    public static let mostAtOnce = 100

    public init(
        list: ListDialect, body: @escaping BodyWording, updates: UpdateMethod = .put, createdStatus: Int = 201,
        deletedStatus: Int = 204, takesMany: Bool = false, selectsFields: Bool = false,
        refused: @escaping @Sendable (any Error) -> any Error = { $0 },
        rule: @escaping @Sendable (ResourceVerb, ResourceNames) -> String
    ) {
        self.list = list
        self.body = body
        self.updates = updates
        self.createdStatus = createdStatus
        self.deletedStatus = deletedStatus
        self.takesMany = takesMany
        self.selectsFields = selectsFields
        self.refused = refused
        self.rule = rule
    }
}

public enum ResourceVerb: String, Sendable, Hashable, CaseIterable {
    case list, get, create, update, delete
}

/// What a resource is called.
public struct ResourceNames: Sendable, Hashable {
    /// `security_group`: in bodies, rules and the event log.
    public var singular: String
    /// `security_groups`: in bodies.
    public var plural: String
    /// `/v2.0/security-groups`.
    public var path: String
    /// The event log's word for it: `network.security_group`.
    public var action: String

    public init(_ singular: String, _ plural: String, path: String, action: String) {
        self.singular = singular
        self.plural = plural
        self.path = path
        self.action = action
    }
}
