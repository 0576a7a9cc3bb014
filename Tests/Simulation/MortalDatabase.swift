import CoordinatorPlatform

/// The coordinator's database, which outlives it. A write is two steps: it may never come to be, or be durable with
/// nobody left to hear of it.
struct MortalDatabase: SQLDatabase {
    let base: EmbeddedDatabase
    let life: Life

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T {
        guard !life.isOver else { throw StoreError.unavailable("the coordinator is dead") }
        return try await base.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        guard life.step() else { throw StoreError.unavailable("the coordinator is dead") }
        let value = try await base.write(body)
        guard life.step() else { throw StoreError.unavailable("the coordinator is dead") }
        return value
    }
}
