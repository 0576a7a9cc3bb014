import ProtocolModel

/// Work that must not go on for ever.
enum Deadline {
    struct Passed: Error, CustomStringConvertible {
        var description: String { "it was not finished in time; a longer time for imports can be configured" }
    }

    /// - Parameter end: Microseconds since 1970.
    /// - Throws: ``Passed``, after the work was cancelled; what the work throws.
    static func run<T: Sendable>(
        until end: Int64, clock: any WallClock, _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        let left = end - clock.now()
        guard left > 0 else { throw Passed() }
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: .microseconds(left))
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else { throw Passed() }
            return result
        }
    }
}
