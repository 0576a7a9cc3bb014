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
        var state = try await database.read { try IdentityFeed.load($0, now: now) }
        state.publish(generation: state.generation, at: now)
        directory = IdentityDirectory(state)
        sealer = TokenSealer([])
        tokens = TokenService(
            sealer: sealer, directory: directory, clock: clock, lifetime: settings.tokenLifetime,
            expiredWindow: settings.expiredWindow)
        try await renewTokenKeys()
        try await loadCredentialKeys()
        try await sealSecrets()
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
        let keys = try await change { edit in
            let (keys, wereOpen) = try vault.keys(.token, in: edit.transaction)
            if let newest = keys.last, now - newest.createdAt < keyLifetime, !wereOpen { return keys }
            let key = TokenKey(number: (keys.last?.number ?? 0) + 1, secret: secret, createdAt: now)
            let bound = Int64(key.number) - Int64(kept)
            try vault.add(key, to: .token, upTo: bound, in: &edit)
            return keys.filter { Int64($0.number) > bound } + [key]
        }
        sealer.replaceKeys(keys)
    }

    /// The keys for stored credentials; makes the first one. They never go, since what they seal stays.
    private func loadCredentialKeys() async throws {
        let now = clock.now()
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let vault = KeyVault(settings.sealingKey)
        let keys = try await change { edit in
            let (keys, wereOpen) = try vault.keys(.credential, in: edit.transaction)
            guard keys.isEmpty || wereOpen else { return keys }
            let key = TokenKey(number: (keys.last?.number ?? 0) + 1, secret: secret, createdAt: now)
            try vault.add(key, to: .credential, upTo: 0, in: &edit)
            return keys + [key]
        }
        credentialSealer.replaceKeys(keys)
    }

    // MARK: - Changes

    /// A part of a transaction that changes what the identity service knows: it is in force once that is committed.
    package func edit<T>(in transaction: any SQLTransaction, _ body: (inout IdentityEdit) throws -> T) throws -> T {
        let base = directory.state
        var edit = try IdentityEdit(base, in: transaction, now: clock.now())
        let result = try body(&edit)
        let state = try edit.finish()
        transaction.afterCommit { publish(state, since: base.generation) }
        return result
    }

    /// The same as a transaction of its own, for what nobody has asked for.
    func change<T: Sendable>(_ body: @escaping @Sendable (inout IdentityEdit) throws -> T) async throws -> T {
        try await database.write { try edit(in: $0, body) }
    }

    private func publish(_ state: IdentityState, since base: UInt64) {
        directory.publish(state, since: base, at: tokens.latestIssue(clock.now()))
    }

    /// How often ``follow()`` is to be called: with the time that it takes, others' changes, revocations among them, are
    /// in force here within a second.
    public static let followInterval = Duration.milliseconds(500)

    /// Takes over what other coordinators have committed to the same database. Where there is nothing new, it reads one
    /// number.
    public func follow() async throws {
        let base = directory.state
        let now = clock.now()
        let vault = KeyVault(settings.sealingKey)
        let news = try await database.read { reader -> (state: IdentityState, keys: [KeyRing: [TokenKey]])? in
            let newest = try IdentityFeed.newest(in: reader)
            guard newest > base.feedNumber else { return nil }
            var state = base
            var keys: [KeyRing: [TokenKey]] = [:]
            if try IdentityFeed.advance(&state, to: newest, in: reader, now: now) {
                for ring in KeyRing.allCases { keys[ring] = try vault.keys(ring, reading: reader) }
            }
            return (state, keys)
        }
        guard let news else { return }
        if let keys = news.keys[.token] { sealer.replaceKeys(keys) }
        if let keys = news.keys[.credential] { credentialSealer.replaceKeys(keys) }
        publish(news.state, since: base.generation)
    }
}
