import CoordinatorPlatform
import ProtocolModel

/// The identity slice as a whole: what the daemon builds once, and other slices ask.
public struct IdentityService: Sendable {
    public struct Settings: Sendable {
        public var tokenLifetime: Duration = .seconds(3600)
        /// Age at which the newest token key is replaced.
        public var keyLifetime: Duration = .seconds(24 * 3600)
        public var region = "RegionOne"
        /// For how long after its end a token still tells services what it was, for requests that take long.
        public var expiredWindow: Duration = .seconds(48 * 3600)
        public var security = SecurityCompliance()
        /// How often a trust may be passed on.
        public var redelegationLimit: Int64 = 3
        /// How old the time in a signed EC2 or S3 request may be.
        public var signatureLifetime: Duration = .seconds(15 * 60)
        /// How many application credentials, access rules, trusts or stored credentials one user may have of each.
        public var delegationLimit = 1000
        /// How many revocations of single tokens are remembered for one user; beyond that the older half becomes one
        /// of all tokens of that age.
        public var revocationLimit = 512
        /// 32 bytes that seal the keys in the database; `nil` leaves them open, for a database that nobody keeps.
        public var sealingKey: [UInt8]?
        public init() {}
    }

    public let directory: IdentityDirectory
    /// The authenticator of all services.
    public let tokens: TokenService
    let database: any SQLDatabase
    let hasher: PasswordHasher
    let sealer: TokenSealer
    let credentialSealer = CredentialSealer([])
    let clock: any WallClock
    let settings: Settings
    /// What new passwords must match.
    let pattern: PasswordPattern?
    /// What other slices keep for projects and users; the daemon sets it before the API is made.
    public var holdings: [any ProjectHoldings] = []

    /// Reads everything into memory; makes the first token key.
    public init(
        database: any SQLDatabase, clock: any WallClock, hasher: PasswordHasher = PasswordHasher(),
        settings: Settings = Settings()
    ) async throws {
        self.database = database
        self.clock = clock
        self.hasher = hasher
        self.settings = settings
        pattern = settings.security.passwordPattern.map { PasswordPattern($0) }
        let now = clock.now()
        let state = try await database.read { try IdentityStore.load($0, now: now) }
        directory = IdentityDirectory(state)
        sealer = TokenSealer([])
        tokens = TokenService(
            sealer: sealer, directory: directory, clock: clock, lifetime: settings.tokenLifetime,
            expiredWindow: settings.expiredWindow)
        try await renewTokenKeys()
        try await loadCredentialKeys()
        try await sealOpenSecrets()
        try await resealOldSecrets()
    }

    /// Whether what is stored needs the sealing key that was there before: a new one would open nothing.
    public static func needsSealingKey(_ database: any SQLDatabase) async throws -> Bool {
        try await database.read { try KeyVault.hasSealedKeys($0) }
    }

    /// Replaces the newest token key when it is old. Keys that could still open a living token stay.
    public func renewTokenKeys() async throws {
        let now = clock.now()
        let keyLifetime = settings.keyLifetime.components.seconds * 1_000_000
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let lifetime = settings.tokenLifetime + settings.expiredWindow
        let kept = 2 + Int(lifetime.components.seconds / max(1, settings.keyLifetime.components.seconds))
        let vault = KeyVault(settings.sealingKey)
        let keys = try await database.write { transaction in
            let (keys, wereOpen) = try vault.keys(.token, in: transaction)
            if let newest = keys.last, now - newest.createdAt < keyLifetime, !wereOpen { return keys }
            let key = TokenKey(number: (keys.last?.number ?? 0) + 1, secret: secret, createdAt: now)
            try vault.add(key, to: .token, in: transaction)
            try KeyStore.remove(upTo: Int64(key.number) - Int64(kept), from: .token, in: transaction)
            return keys.filter { Int64($0.number) > Int64(key.number) - Int64(kept) } + [key]
        }
        sealer.replaceKeys(keys)
    }

    /// The keys for stored credentials; makes the first one. They never go, since what they seal stays.
    private func loadCredentialKeys() async throws {
        let now = clock.now()
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let vault = KeyVault(settings.sealingKey)
        let keys = try await database.write { transaction in
            let (keys, wereOpen) = try vault.keys(.credential, in: transaction)
            guard keys.isEmpty || wereOpen else { return keys }
            let key = TokenKey(number: (keys.last?.number ?? 0) + 1, secret: secret, createdAt: now)
            try vault.add(key, to: .credential, in: transaction)
            return keys + [key]
        }
        credentialSealer.replaceKeys(keys)
    }

    // MARK: - Changes: the row, the event line and the directory in one commit

    /// What follows in memory once the rows are durable.
    typealias StateChange = @Sendable (inout IdentityState) -> Void

    func create<Record: StoredRecord>(
        _ record: Record, _ call: APICall,
        before: @escaping @Sendable (Record, any SQLTransaction) throws -> StateChange = { _, _ in { _ in } },
        apply: @escaping StateChange
    ) async throws {
        try await call.write(target: { _ in record.key }) { transaction in
            let first = try before(record, transaction)
            try record.insert(in: transaction)
            transaction.afterCommit {
                directory.apply { state in
                    first(&state)
                    apply(&state)
                }
            }
        }
    }

    /// - Parameter record: With the generation that was read.
    /// - Returns: The record as stored.
    func update<Record: StoredRecord>(
        _ record: Record, _ call: APICall,
        before: @escaping @Sendable (Record, any SQLTransaction) throws -> StateChange = { _, _ in { _ in } },
        apply: @escaping @Sendable (inout IdentityState, Record) -> Void
    ) async throws -> Record {
        let seen = record.generation
        var changed = record
        changed.generation += 1
        let stored = changed
        try await call.write(target: { _ in stored.key }) { transaction in
            let first = try before(stored, transaction)
            try stored.update(after: seen, in: transaction)
            transaction.afterCommit {
                directory.apply { state in
                    first(&state)
                    apply(&state, stored)
                }
            }
        }
        return stored
    }

    func delete<Record: StoredRecord>(
        _ record: Record, _ call: APICall, before: @escaping @Sendable (any SQLTransaction) throws -> Void = { _ in },
        apply: @escaping StateChange
    ) async throws {
        try await call.write(target: { _ in record.key }) { transaction in
            try before(transaction)
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
