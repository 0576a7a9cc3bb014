import CoordinatorPlatform
import ProtocolModel
import Synchronization

/// A token that holds, and what it means at the moment. An object, since every request passes one around.
final class ValidToken: Sendable {
    let payload: TokenPayload
    let caller: Caller
    /// Whom the token shows: the trustor for a trust with impersonation, else who logged in.
    let user: User
    /// With ids, for the token's document; names are in ``caller``.
    let roles: [Role]
    /// The state of the directory in which it was judged.
    let generation: UInt64
    /// What it was made with, where that limits it.
    let applicationCredential: ApplicationCredential?
    let trust: Trust?

    init(
        payload: TokenPayload, caller: Caller, user: User, roles: [Role], generation: UInt64,
        applicationCredential: ApplicationCredential? = nil, trust: Trust? = nil
    ) {
        self.payload = payload
        self.caller = caller
        self.user = user
        self.roles = roles
        self.generation = generation
        self.applicationCredential = applicationCredential
        self.trust = trust
    }

    /// Its holder is the user, and not somebody or something with a part of the user's rights.
    var isPrimary: Bool { trust == nil && payload.methods.arePrimary }
}

/// Makes and judges tokens. Judging takes no database: the seal, the clock and the directory are enough.
public final class TokenService: Authenticator {
    private struct Remembered {
        let token: ValidToken
        /// The token's document as the API renders it, once somebody has asked.
        var document: [UInt8]?
    }

    /// How many judged tokens are remembered; beyond that all are forgotten and judged anew.
    private static let memoryLimit = 4096

    private let sealer: TokenSealer
    let directory: IdentityDirectory
    private let clock: any WallClock
    /// Microseconds a token lives.
    let lifetime: Int64
    /// Microseconds after its end in which a token still tells services what it was.
    let expiredWindow: Int64
    private let memory = Mutex<[String: Remembered]>([:])
    private let newest = Atomic<Int64>(0)

    init(
        sealer: TokenSealer, directory: IdentityDirectory, clock: any WallClock, lifetime: Duration,
        expiredWindow: Duration
    ) {
        self.sealer = sealer
        self.directory = directory
        self.clock = clock
        self.lifetime = lifetime.components.seconds * 1_000_000
        self.expiredWindow = expiredWindow.components.seconds * 1_000_000
    }

    public func authenticate(token: String) throws -> Caller? { validate(token)?.caller }

    public func authenticate(token: String, serviceToken: String?) throws -> Caller? {
        guard let serviceToken, let service = validate(serviceToken)?.caller, service.roles.contains("service"),
            // A credential bound to some calls must not free itself by coming twice.
            service.accessRules == nil
        else {
            return validate(token)?.caller
        }
        var caller = validate(token, allowingExpired: true)?.caller
        caller?.accessRules = nil
        return caller
    }

    /// What a request gets that names a token which is none, or none any more.
    static let unknown = APIError.notFound("Failed to validate token")

    /// - Parameter isAllowed: Also takes one whose time ran out within the window for that.
    func validate(_ token: String, allowingExpired isAllowed: Bool) -> ValidToken? {
        if let valid = validate(token) { return valid }
        guard isAllowed, let payload = sealer.open(token), payload.expiresAt + expiredWindow > clock.now() else {
            return nil
        }
        return Self.judge(payload, directory.state)
    }

    /// - Returns: `nil` for a token that is forged, expired, revoked, or whose user or scope is gone or disabled.
    func validate(_ token: String) -> ValidToken? {
        let generation = directory.generation
        if let known = memory.withLock({ $0[token]?.token }), known.generation == generation {
            return known.payload.expiresAt > clock.now() ? known : nil
        }
        guard let payload = sealer.open(token), payload.expiresAt > clock.now(),
            let valid = Self.judge(payload, directory.state)
        else { return nil }
        newest.max(payload.issuedAt, ordering: .relaxed)
        memory.withLock { memory in
            if memory.count >= Self.memoryLimit { memory.removeAll(keepingCapacity: true) }
            memory[token] = Remembered(token: valid, document: nil)
        }
        return valid
    }

    /// The rendered document of a token, made once per state of the directory.
    /// - Parameter token: As it was judged: what another state made of the same text is another document.
    func document(of text: String, _ token: ValidToken, _ render: () -> [UInt8]) -> [UInt8] {
        let known = memory.withLock { $0[text] }
        if let known, known.token.generation == token.generation, let document = known.document { return document }
        let document = render()
        memory.withLock { memory in
            guard memory[text]?.token.generation == token.generation else { return }
            memory[text]?.document = document
        }
        return document
    }

    func seal(_ payload: TokenPayload) throws -> String {
        newest.max(payload.issuedAt, ordering: .relaxed)
        return try sealer.seal(payload)
    }

    /// A bound on the age of tokens that ends all which were made until now.
    func bound(at now: Int64) -> Int64 {
        let latest = latestIssue(now)
        return latest > now ? latest + 1 : now
    }

    /// The latest moment of issue that a token made until now may bear: later than now where the clock was set back.
    func latestIssue(_ now: Int64) -> Int64 { max(now, newest.load(ordering: .relaxed)) }
}
