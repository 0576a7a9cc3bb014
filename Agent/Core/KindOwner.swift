import ProtocolModel

/// Makes the resources of some kinds real on this host. Each kind has exactly one owner (``KindRegistry``), and each
/// owner a loop of its own, so that a slow piece of one kind never delays another.
public protocol KindOwner: Sendable {
    var kinds: Set<ResourceKind> { get }
    /// Kinds whose readiness its resources wait for: see ``EngineCore/readiness(of:)``.
    var dependencies: Set<ResourceKind> { get }
    /// Kinds whose presence on the host keeps its resources: see ``EngineCore/isPresent(_:)``.
    var holders: Set<ResourceKind> { get }
    /// Converges until the task is cancelled.
    func run() async
    /// The plan changed, or a dependency or a holder did. Does not wait.
    func wake(_ cause: WakeCause)
    /// Carries out an operation on a resource of its kinds.
    func perform(_ operation: Operation, on key: ResourceKey) async -> OperationResult
    /// What was said of the resource is over: it is looked at anew, and told anew.
    func lookAgain(at key: ResourceKey) async
    /// What stands in the way of converging at all; empty when nothing does.
    func problems() async -> [String]
}

public enum WakeCause: Sendable, Equatable {
    case plan, session, dependency, holder
}

extension KindOwner {
    public var dependencies: Set<ResourceKind> { [] }
    public var holders: Set<ResourceKind> { [] }
    public func lookAgain(at key: ResourceKey) async {}
    public func problems() async -> [String] { [] }

    public func perform(_ operation: Operation, on key: ResourceKey) async -> OperationResult {
        OperationResult(
            id: operation.id,
            outcome: .failed(
                StatusError(
                    code: .unsupported, message: "The host cannot do this.",
                    detail: "\(operation.action.name) of a \(key.kind)")))
    }
}

/// Whose each kind is.
public struct KindRegistry: Sendable {
    public let owners: [any KindOwner]
    private let places: [ResourceKind: Int]

    /// - Throws: ``KindRegistryError`` unless every kind that this release knows has exactly one owner.
    public init(_ owners: [any KindOwner]) throws(KindRegistryError) {
        var places: [ResourceKind: Int] = [:]
        for (place, owner) in owners.enumerated() {
            for kind in owner.kinds where places.updateValue(place, forKey: kind) != nil {
                throw KindRegistryError(kind: kind, problem: "has two owners")
            }
        }
        for kind in ResourceKind.allCases where places[kind] == nil {
            throw KindRegistryError(kind: kind, problem: "has no owner")
        }
        self.owners = owners
        self.places = places
    }

    public func owner(of kind: ResourceKind) -> (any KindOwner)? { places[kind].map { owners[$0] } }

    /// Those that a change of entries or resources of these kinds concerns.
    func affected(by kinds: Set<ResourceKind>) -> [any KindOwner] {
        owners.filter { !$0.kinds.union($0.dependencies).union($0.holders).isDisjoint(with: kinds) }
    }
}

/// Why an agent cannot be put together.
public struct KindRegistryError: Error, Equatable, CustomStringConvertible {
    public let kind: ResourceKind
    public let problem: String

    public var description: String { "the kind of resource '\(kind)' \(problem)" }
}

/// Owns the kinds of a role that the host lacks: what a plan wants of them is refused, and gone at once.
public struct AbsentRole: KindOwner {
    public let kinds: Set<ResourceKind>
    private let error: StatusError
    private let core: EngineCore
    private let signal = WakeSignal()

    public init(_ kinds: Set<ResourceKind>, error: StatusError, core: EngineCore) {
        self.kinds = kinds
        self.error = error
        self.core = core
        for kind in kinds { core.setPresent([], of: kind) }
    }

    public func wake(_ cause: WakeCause) { signal.wake() }

    public func run() async {
        for await _ in signal.stream {
            for (key, entry) in core.plan.entries where kinds.contains(key.kind) {
                let isGone = entry.spec == nil
                core.post(
                    ResourceStatus(
                        key: key, generation: entry.generation, phase: isGone ? .gone : .failed,
                        error: isGone ? nil : error))
            }
            core.flush()
        }
    }

    public func perform(_ operation: Operation, on key: ResourceKey) async -> OperationResult {
        OperationResult(id: operation.id, outcome: .failed(error))
    }
}
