import AgentCore
import ProtocolModel

/// An agent's plan store, which outlives it. A change is two steps, as with ``MortalDatabase``.
struct MortalStore: PlanStore {
    let base: any PlanStore
    let life: Life

    func position() async throws -> PlanPosition { try await look { try await base.position() } }
    func entries() async throws -> [PlanEntry] { try await look { try await base.entries() } }
    func settled() async throws -> [ResourceKey: SettledState] { try await look { try await base.settled() } }
    func unacknowledged() async throws -> [OperationResult] { try await look { try await base.unacknowledged() } }

    func runningTime() async throws -> Int64 { try await look { try await base.runningTime() } }
    func note(runningTime: Int64) async throws { try await change { try await base.note(runningTime: runningTime) } }

    func setAside() async throws -> [ResourceKey: SetAside] { try await look { try await base.setAside() } }

    func apply(_ update: PlanUpdate, at now: Int64) async throws {
        try await change { try await base.apply(update, at: now) }
    }
    func keep(strays: [ResourceKey], of total: Int, at now: Int64) async throws {
        try await change { try await base.keep(strays: strays, of: total, at: now) }
    }
    func release(_ keys: Set<ResourceKey>) async throws { try await change { try await base.release(keys) } }
    func forget(_ key: ResourceKey, generation: Int64) async throws {
        try await change { try await base.forget(key, generation: generation) }
    }
    func settle(_ key: ResourceKey, _ state: SettledState?) async throws {
        try await change { try await base.settle(key, state) }
    }
    func admit(_ operation: Operation) async throws -> OperationAdmission {
        try await change { try await base.admit(operation) }
    }
    func finish(_ result: OperationResult) async throws { try await change { try await base.finish(result) } }
    func acknowledge(_ operation: OperationID) async throws {
        try await change { try await base.acknowledge(operation) }
    }
    func interruptRunning() async throws { try await change { try await base.interruptRunning() } }

    private func look<T>(_ body: () async throws -> T) async throws -> T {
        if life.isOver { return try await Self.silence() }
        return try await body()
    }

    private func change<T>(_ body: () async throws -> T) async throws -> T {
        guard life.step() else { return try await Self.silence() }
        let value = try await body()
        guard life.step() else { return try await Self.silence() }
        return value
    }

    /// A dead agent does not go on with an error: it waits until its task is taken away.
    private static func silence<T>(_: T.Type = T.self) async throws -> T {
        try await Task.sleep(for: .seconds(3_600))
        throw Dead()
    }
}
