import Crypto

/// Brings the schema forward, one transaction per step, and refuses a database whose past it does not know.
public struct Migrator: Sendable {
    /// A step as the database remembers it.
    package struct Applied: Sendable, Hashable {
        package var slice: String
        package var number: Int
        package var name: String
        package var checksum: String

        package init(slice: String, number: Int, name: String, checksum: String) {
            self.slice = slice
            self.number = number
            self.name = name
            self.checksum = checksum
        }
    }

    public enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
        /// The database has a step that this program does not have.
        case newer(String)
        /// A released step was changed.
        case changed(String)
        /// The steps of a slice are not 1, 2, 3, ...
        case numbering(String)
        case failed(step: String, reason: String)

        public var description: String {
            switch self {
            case .newer(let step):
                """
                The database was written by a newer release (it has the schema step '\(step)'): \
                start that release, or restore a backup made with this one.
                """
            case .changed(let step):
                """
                The schema step '\(step)' is not the one this database was made with: \
                the program or the database was altered.
                """
            case .numbering(let slice): "The schema steps of '\(slice)' must be numbered 1, 2, 3, ... without a gap."
            case .failed(let step, let reason): "The schema step '\(step)' failed and was undone: \(reason)"
            }
        }
    }

    private let migrations: [Migration]

    /// - Parameter migrations: All slices' steps, in the order in which slices depend on each other.
    public init(_ migrations: [Migration]) { self.migrations = migrations }

    /// - Parameter now: Microseconds since 1970, for the record.
    /// - Returns: How many steps were run.
    @discardableResult
    public func migrate(_ database: any StoreEngine, now: Int64) async throws -> Int {
        try await database.runScript(Self.table) { _ in }
        let steps = try Self.plan(migrations, applied: try await applied(to: database))
        for step in steps {
            do {
                try await database.runScript(step.sql) { transaction in
                    try transaction.execute(
                        """
                        INSERT INTO schema_migrations (slice, number, name, checksum, applied_at)
                        VALUES (?, ?, ?, ?, ?)
                        """,
                        [step.slice, step.number, step.name, Self.checksum(step), now])
                }
            } catch { throw Failure.failed(step: Self.title(step), reason: "\(error)") }
        }
        // What an earlier release of a step left behind.
        try await database.settleNumbers()
        return steps.count
    }

    /// Whether there is nothing to do for ``migrate(_:now:)``.
    public func isCurrent(_ database: any StoreEngine) async throws -> Bool {
        try await database.runScript(Self.table) { _ in }
        return try Self.plan(migrations, applied: try await applied(to: database)).isEmpty
    }

    private func applied(to database: any StoreEngine) async throws -> [Applied] {
        try await database.read { reader in
            try reader.query("SELECT slice, number, name, checksum FROM schema_migrations ORDER BY id") {
                Applied(slice: $0.text(0), number: $0.int(1), name: $0.text(2), checksum: $0.text(3))
            }
        }
    }

    /// The steps still to run. Pure.
    package static func plan(_ migrations: [Migration], applied: [Applied]) throws -> [Migration] {
        var numbers: [String: Int] = [:]
        for step in migrations {
            numbers[step.slice, default: 0] += 1
            guard numbers[step.slice] == step.number else { throw Failure.numbering(step.slice) }
        }
        for old in applied {
            guard let step = migrations.first(where: { $0.slice == old.slice && $0.number == old.number }) else {
                throw Failure.newer("\(old.slice) \(old.number) \(old.name)")
            }
            guard checksum(step) == old.checksum else { throw Failure.changed(title(step)) }
        }
        return migrations.filter { step in !applied.contains { $0.slice == step.slice && $0.number == step.number } }
    }

    package static func checksum(_ step: Migration) -> String {
        SHA256.hash(data: Array(step.sql.utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    private static func title(_ step: Migration) -> String { "\(step.slice) \(step.number) \(step.name)" }

    private static let table = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            id INTEGER PRIMARY KEY,
            slice TEXT NOT NULL,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            checksum TEXT NOT NULL,
            applied_at BIGINT NOT NULL,
            UNIQUE (slice, number)
        )
        """
}
