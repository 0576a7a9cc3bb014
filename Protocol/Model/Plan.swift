/// What a plan can hold: a number on the wire and on disk, for ever, and a name for people.
///
/// Not an enumeration: a plan of a newer release may hold kinds that this one does not know, and keeps them.
public struct ResourceKind: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let securityGroup = Self(rawValue: 1)
    public static let network = Self(rawValue: 2)
    public static let port = Self(rawValue: 3)
    public static let server = Self(rawValue: 4)
    public static let router = Self(rawValue: 5)
    public static let volume = Self(rawValue: 6)
    public static let volumeSnapshot = Self(rawValue: 7)

    /// What is known of each kind. The order of the lines is the order of making; deletion goes the other way.
    private static let table: [(kind: Self, name: String)] = [
        (.securityGroup, "security-group"), (.network, "network"), (.port, "port"), (.volume, "volume"),
        (.volumeSnapshot, "volume-snapshot"), (.server, "server"), (.router, "router")
    ]

    private static let places = Dictionary(
        uniqueKeysWithValues: table.enumerated().map { ($1.kind, (place: $0, name: $1.name)) })

    /// Those that this release knows, in the order of making.
    public static let allCases = table.map(\.kind)

    public var isKnown: Bool { Self.places[self] != nil }

    public var name: String { Self.places[self]?.name ?? "kind-\(rawValue)" }
}

extension ResourceKind: CustomStringConvertible {
    public var description: String { name }
}

extension ResourceKind: Comparable {
    /// In the order of making; what is not known comes last, by its number.
    public static func < (left: Self, right: Self) -> Bool { left.place < right.place }

    private var place: (Int, Int) { (Self.places[self]?.place ?? .max, rawValue) }
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
    public static func router(_ id: RouterID) -> Self { Self(kind: .router, id: id.cast()) }
    public static func volume(_ id: VolumeID) -> Self { Self(kind: .volume, id: id.cast()) }
    public static func volumeSnapshot(_ id: VolumeSnapshotID) -> Self { Self(kind: .volumeSnapshot, id: id.cast()) }

    public static func < (left: Self, right: Self) -> Bool { (left.kind, left.id) < (right.kind, right.id) }
    public var description: String { "\(kind) \(id)" }
}

/// What one resource shall be.
public enum ResourceSpec: Hashable, Sendable {
    case securityGroup(SecurityGroupSpec)
    case network(NetworkSpec)
    case port(PortSpec)
    case server(ServerSpec)
    case router(RouterSpec)
    case volume(VolumeSpec)
    case volumeSnapshot(VolumeSnapshotSpec)
    /// What this release cannot read. It is kept as it came, so that a later release finds it.
    indirect case opaque(OpaqueSpec)

    public var key: ResourceKey {
        switch self {
        case .securityGroup(let spec): .securityGroup(spec.id)
        case .network(let spec): .network(spec.id)
        case .port(let spec): .port(spec.id)
        case .server(let spec): .server(spec.id)
        case .router(let spec): .router(spec.id)
        case .volume(let spec): .volume(spec.id)
        case .volumeSnapshot(let spec): .volumeSnapshot(spec.id)
        case .opaque(let spec): spec.key
        }
    }

    /// What is to be kept up: the spec itself, or the last one before it that could be read.
    public var inForce: Self? {
        if case .opaque(let spec) = self { spec.previous } else { self }
    }
}

/// A spec that cannot be read: of a newer release, with a kind or values that this one does not know; or one that the
/// coordinator could not send.
public struct OpaqueSpec: Hashable, Sendable {
    public var key: ResourceKey
    /// The spec's message as it came.
    public var bytes: [UInt8]
    /// What of it is not known, for the operator.
    public var problem: String
    /// The coordinator has not sent it; `problem` is its reason, in words for the tenant.
    public var isWithheld: Bool
    /// The last spec of the resource that could be read: what is there is kept up by it.
    public var previous: ResourceSpec?

    public init(
        key: ResourceKey, bytes: [UInt8], problem: String, isWithheld: Bool = false, previous: ResourceSpec? = nil
    ) {
        self.key = key
        self.bytes = bytes
        self.problem = problem
        self.isWithheld = isWithheld
        self.previous = previous
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

    /// The entry as it takes the place of `old`: what can be read of the old one stays in force where the new one
    /// cannot be read.
    public func replacing(_ old: PlanEntry?) -> PlanEntry {
        guard case .opaque(var spec)? = spec else { return self }
        spec.previous = old?.spec?.inForce
        return PlanEntry(key: key, generation: generation, spec: .opaque(spec))
    }
}

/// A change of a node's plan on the wire.
public struct PlanUpdate: Hashable, Sendable {
    /// Which history the revisions count in: a coordinator restored from a backup begins a new one.
    public var epoch: Int64
    /// The plan's revision once `entries` are in.
    public var revision: Int64
    /// `true`: `entries` are the whole plan, and what is not among them goes unless a tenant's data would go with it.
    /// `false`: they replace their namesakes.
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
