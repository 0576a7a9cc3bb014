import CPostgres

/// libpq's functions, loaded when the first PostgreSQL database is opened.
///
/// `@unchecked Sendable`: the table is written once, before anybody has it, and libpq's functions may be called by any
/// thread as long as each connection is used by one at a time.
final class PostgreSQLLibrary: @unchecked Sendable {
    private let memory = UnsafeMutablePointer<SkerryPQ>.allocate(capacity: 1)
    var pq: SkerryPQ { memory.pointee }

    private static let loaded: PostgreSQLLibrary? = PostgreSQLLibrary()

    /// - Throws: ``StoreError/unavailable(_:)`` where there is no libpq 14 or newer.
    static func load() throws -> PostgreSQLLibrary {
        guard let loaded else {
            throw StoreError.unavailable("libpq.so.5 of PostgreSQL 14 or newer cannot be loaded: install libpq5")
        }
        return loaded
    }

    private init?() { guard skerryLoadPQ(memory) else { return nil } }

    deinit { memory.deallocate() }
}
