/// What a plan can hold. The order is the order of making; deletion goes the other way.
public enum ResourceKind: Int, Hashable, Sendable, CaseIterable, Comparable, CustomStringConvertible {
    case securityGroup = 1
    case network = 2
    case port = 3
    case server = 4

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    public var description: String {
        switch self {
        case .securityGroup: "security-group"
        case .network: "network"
        case .port: "port"
        case .server: "server"
        }
    }
}

/// The name of one resource in a plan.
public struct ResourceKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var kind: ResourceKind
    public var id: AnyID

    public init(kind: ResourceKind, id: AnyID) {
        self.kind = kind
        self.id = id
    }

    public static func securityGroup(_ id: SecurityGroupID) -> Self { Self(kind: .securityGroup, id: id.cast()) }
    public static func network(_ id: NetworkID) -> Self { Self(kind: .network, id: id.cast()) }
    public static func port(_ id: PortID) -> Self { Self(kind: .port, id: id.cast()) }
    public static func server(_ id: ServerID) -> Self { Self(kind: .server, id: id.cast()) }

    public static func < (left: Self, right: Self) -> Bool { (left.kind, left.id) < (right.kind, right.id) }
    public var description: String { "\(kind) \(id)" }
}

/// What one resource shall be.
public enum ResourceSpec: Hashable, Sendable {
    case securityGroup(SecurityGroupSpec)
    case network(NetworkSpec)
    case port(PortSpec)
    case server(ServerSpec)

    public var key: ResourceKey {
        switch self {
        case .securityGroup(let spec): .securityGroup(spec.id)
        case .network(let spec): .network(spec.id)
        case .port(let spec): .port(spec.id)
        case .server(let spec): .server(spec.id)
        }
    }
}

/// One line of a node's plan.
public struct PlanEntry: Hashable, Sendable {
    public var key: ResourceKey
    /// Rises with each change of this entry on this node; statuses quote it.
    public var generation: Int64
    /// `nil` asks for the resource's removal: the entry stays until the agent reports ``ResourceStatus/Phase/gone``.
    public var spec: ResourceSpec?

    public init(key: ResourceKey, generation: Int64, spec: ResourceSpec?) {
        self.key = key
        self.generation = generation
        self.spec = spec
    }
}

/// A change of a node's plan on the wire.
public struct PlanUpdate: Hashable, Sendable {
    /// Which history the revisions count in: a coordinator restored from a backup begins a new one.
    public var epoch: Int64
    /// The plan's revision once `entries` are in.
    public var revision: Int64
    /// `true`: `entries` are the whole plan and what is not among them goes. `false`: they replace their namesakes.
    public var isSnapshot: Bool
    public var entries: [PlanEntry]

    public init(epoch: Int64, revision: Int64, isSnapshot: Bool, entries: [PlanEntry]) {
        self.epoch = epoch
        self.revision = revision
        self.isSnapshot = isSnapshot
        self.entries = entries
    }
}

/// Which plan an agent holds.
public struct PlanPosition: Hashable, Sendable {
    public var epoch: Int64
    public var revision: Int64

    public init(epoch: Int64, revision: Int64) {
        self.epoch = epoch
        self.revision = revision
    }

    /// An agent that never saw a plan.
    public static let none = Self(epoch: 0, revision: 0)
}
