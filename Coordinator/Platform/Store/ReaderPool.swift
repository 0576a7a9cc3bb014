import Synchronization

/// Connections for reading; each read goes to the one with the fewest waiting.
final class ReaderPool<Connection: Sendable>: Sendable {
    let connections: [Connection]
    private let inFlight: Mutex<[Int]>
    /// Reads that may wait on each connection.
    private let limit: Int

    init(_ connections: [Connection], limit: Int) {
        self.connections = connections
        self.limit = limit
        inFlight = Mutex(Array(repeating: 0, count: connections.count))
    }

    /// - Throws: ``StoreError/overloaded`` when too many wait already.
    func lease<T: Sendable>(_ body: (Connection) async throws -> T) async throws -> T {
        let index = try inFlight.withLock { counts in
            let index = counts.indices.min { counts[$0] < counts[$1] } ?? 0
            guard counts[index] < limit else { throw StoreError.overloaded }
            counts[index] += 1
            return index
        }
        defer { inFlight.withLock { $0[index] -= 1 } }
        return try await body(connections[index])
    }
}
