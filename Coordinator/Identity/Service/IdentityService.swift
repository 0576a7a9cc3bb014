import CoordinatorPlatform
import ProtocolModel

/// The identity slice as a whole: what the daemon builds once, and other slices ask.
public struct IdentityService: Sendable {
    public struct Settings: Sendable {
        public var tokenLifetime: Duration = .seconds(3600)
        /// Age at which the newest token key is replaced.
        public var keyLifetime: Duration = .seconds(24 * 3600)
        public var region = "RegionOne"
        public init() {}
    }

    public let directory: IdentityDirectory
    /// The authenticator of all services.
    public let tokens: TokenService
    let database: any SQLDatabase
    let hasher: PasswordHasher
    let sealer: TokenSealer
    let clock: any WallClock
    let settings: Settings

    /// Reads everything into memory; makes the first token key.
    public init(
        database: any SQLDatabase, clock: any WallClock, hasher: PasswordHasher = PasswordHasher(),
        settings: Settings = Settings()
    ) async throws {
        self.database = database
        self.clock = clock
        self.hasher = hasher
        self.settings = settings
        let now = clock.now()
        let state = try await database.read { try IdentityStore.load($0, now: now) }
        directory = IdentityDirectory(state)
        sealer = TokenSealer([])
        tokens = TokenService(sealer: sealer, directory: directory, clock: clock, lifetime: settings.tokenLifetime)
        try await renewTokenKeys()
    }

    /// Replaces the newest token key when it is old. Keys that could still open a living token stay.
    public func renewTokenKeys() async throws {
        let now = clock.now()
        let keyLifetime = settings.keyLifetime.components.seconds * 1_000_000
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let kept = 2 + Int(settings.tokenLifetime.components.seconds / max(1, settings.keyLifetime.components.seconds))
        let keys = try await database.write { transaction in
            let keys = try IdentityStore.tokenKeys(transaction)
            if let newest = keys.last, now - newest.createdAt < keyLifetime { return keys }
            let key = TokenKey(number: (keys.last?.number ?? 0) + 1, secret: secret, createdAt: now)
            try IdentityStore.addTokenKey(key, keeping: kept, in: transaction)
            return try IdentityStore.tokenKeys(transaction)
        }
        sealer.replaceKeys(keys)
    }

    // MARK: - Changes: the row, the event line and the directory in one commit

    func create<Record: StoredRecord>(
        _ record: Record, _ call: APICall, apply: @escaping @Sendable (inout IdentityState) -> Void
    ) async throws {
        try await call.write(target: { _ in record.key }) { transaction in
            try record.insert(in: transaction)
            transaction.afterCommit { directory.apply(apply) }
        }
    }

    /// - Parameter record: With the generation that was read.
    /// - Returns: The record as stored.
    func update<Record: StoredRecord>(
        _ record: Record, _ call: APICall, apply: @escaping @Sendable (inout IdentityState, Record) -> Void
    ) async throws -> Record {
        let seen = record.generation
        var changed = record
        changed.generation += 1
        let stored = changed
        try await call.write(target: { _ in stored.key }) { transaction in
            try stored.update(after: seen, in: transaction)
            transaction.afterCommit { directory.apply { apply(&$0, stored) } }
        }
        return stored
    }

    func delete<Record: StoredRecord>(
        _ record: Record, _ call: APICall, apply: @escaping @Sendable (inout IdentityState) -> Void
    ) async throws {
        try await call.write(target: { _ in record.key }) { transaction in
            try record.delete(in: transaction)
            transaction.afterCommit { directory.apply(apply) }
        }
    }

    /// For what has no record of its own.
    func change(
        _ call: APICall, target: String = "", _ body: @escaping @Sendable (any SQLTransaction) throws -> Void,
        apply: @escaping @Sendable (inout IdentityState) -> Void
    ) async throws {
        try await call.write(target: { _ in target }) { transaction in
            try body(transaction)
            transaction.afterCommit { directory.apply(apply) }
        }
    }
}
