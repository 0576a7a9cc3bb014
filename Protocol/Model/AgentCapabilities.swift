/// What an agent can, by the numbers on the wire and the names that the agent has for them. The coordinator sends
/// nothing else.
public struct AgentCapabilities: Hashable, Sendable {
    /// Names of kinds by ``ResourceKind/rawValue``.
    public var kinds: [Int: String]
    /// Names of operations by ``Operation/Kind``'s number.
    public var operations: [Int: String]

    public init(kinds: [Int: String], operations: [Int: String]) {
        self.kinds = kinds
        self.operations = operations
    }

    public init(kinds: some Sequence<ResourceKind>, operations: some Sequence<Operation.Kind>) {
        self.kinds = Dictionary(kinds.map { ($0.rawValue, $0.name) }) { first, _ in first }
        self.operations = Dictionary(operations.map { ($0.rawValue, $0.name) }) { first, _ in first }
    }

    /// What an agent can that says nothing of it: the release before this was told knew exactly these.
    public static let unspoken = Self(
        kinds: [.securityGroup, .network, .port, .server], operations: [.softReboot, .hardReboot, .consoleOutput])

    /// Whether the agent keeps entries of that kind, and means the same by it.
    public func knows(_ kind: ResourceKind) -> Bool { kinds[kind.rawValue] == kind.name }

    public func knows(_ action: Operation.Action) -> Bool {
        guard let kind = action.kind else { return false }
        return operations[kind.rawValue] == kind.name
    }
}
