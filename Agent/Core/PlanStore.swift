import ProtocolModel

/// What an agent must not forget, on disk. Each call is one durable transaction.
public protocol PlanStore: Sendable {
    func position() async throws -> PlanPosition
    /// Every entry, those that ask for removal among them.
    func entries() async throws -> [PlanEntry]
    /// Takes an update in. An update from another epoch is only taken as a snapshot; one that does not lead further is
    /// ignored. After a snapshot, what it does not name stays as an entry that asks for removal.
    func apply(_ update: PlanUpdate) async throws
    /// Forgets an entry that asked for removal, once nothing is left of it, unless it changed since `generation`.
    func forget(_ key: ResourceKey, generation: Int64) async throws

    /// The states that were reached: see ``SettledState``.
    func settled() async throws -> [ResourceKey: SettledState]
    func settle(_ key: ResourceKey, _ state: SettledState?) async throws

    /// Takes an operation in, once.
    func admit(_ operation: Operation) async throws -> OperationAdmission
    func finish(_ result: OperationResult) async throws
    /// Results that the coordinator has not acknowledged.
    func unacknowledged() async throws -> [OperationResult]
    func acknowledge(_ operation: OperationID) async throws
    /// Called once at start: what was running when the agent died is now ``OperationResult/Outcome/interrupted``.
    func interruptRunning() async throws
}

/// Says that what is wanted of a resource was reached, for what may change by itself afterwards and is then left as it
/// is: a guest that powers itself off stays off, while one that a reboot of the host took down is started again.
public struct SettledState: Hashable, Sendable {
    /// What was reached, in the words of the kind: ``ServerSpec/Power`` for servers.
    public var state: String
    public var generation: Int64
    /// `/proc/sys/kernel/random/boot_id` of the boot in which it was reached.
    public var bootID: String

    public init(state: String, generation: Int64, bootID: String) {
        self.state = state
        self.generation = generation
        self.bootID = bootID
    }
}

extension SettledState {
    /// A server's.
    public init(power: ServerSpec.Power, generation: Int64, bootID: String) {
        self.init(state: power.rawValue, generation: generation, bootID: bootID)
    }
}

public enum OperationAdmission: Sendable, Equatable {
    case run
    case alreadyRunning
    case finished(OperationResult)
}
