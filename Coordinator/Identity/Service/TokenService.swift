import CoordinatorPlatform
import ProtocolModel
import Synchronization

/// A token that holds, and what it means at the moment.
struct ValidToken: Sendable {
    let payload: TokenPayload
    let caller: Caller
    let user: User
    /// With ids, for the token's document; names are in ``caller``.
    let roles: [Role]
}

/// Makes and judges tokens. Judging takes no database: the seal, the clock and the directory are enough.
public final class TokenService: Authenticator {
    private struct Remembered {
        let token: ValidToken
        let generation: UInt64
        /// The token's document as the API renders it, once somebody has asked.
        var document: [UInt8]?
    }

    /// How many judged tokens are remembered; beyond that all are forgotten and judged anew.
    private static let memoryLimit = 4096

    private let sealer: TokenSealer
    private let directory: IdentityDirectory
    private let clock: any WallClock
    /// Microseconds a token lives.
    let lifetime: Int64
    private let memory = Mutex<[String: Remembered]>([:])

    init(sealer: TokenSealer, directory: IdentityDirectory, clock: any WallClock, lifetime: Duration) {
        self.sealer = sealer
        self.directory = directory
        self.clock = clock
        self.lifetime = lifetime.components.seconds * 1_000_000
    }

    public func authenticate(token: String) throws -> Caller? { validate(token)?.caller }

    /// - Returns: `nil` for a token that is forged, expired, revoked, or whose user or scope is gone or disabled.
    func validate(_ token: String) -> ValidToken? {
        let state = directory.state
        if let known = memory.withLock({ $0[token] }), known.generation == state.generation {
            return known.token.payload.expiresAt > clock.now() ? known.token : nil
        }
        guard let payload = sealer.open(token), payload.expiresAt > clock.now(),
            let valid = Self.judge(payload, state)
        else { return nil }
        memory.withLock { memory in
            if memory.count >= Self.memoryLimit { memory.removeAll(keepingCapacity: true) }
            memory[token] = Remembered(token: valid, generation: state.generation, document: nil)
        }
        return valid
    }

    /// The rendered document of a token, made once per state of the directory.
    func document(of token: String, _ render: () -> [UInt8]) -> [UInt8] {
        if let known = memory.withLock({ $0[token]?.document }) { return known }
        let document = render()
        memory.withLock { $0[token]?.document = document }
        return document
    }

    func seal(_ payload: TokenPayload) throws -> String { try sealer.seal(payload) }

    /// What a payload means in a state of the directory. Pure.
    static func judge(_ payload: TokenPayload, _ state: IdentityState) -> ValidToken? {
        guard state.revoked[payload.audit] == nil, let user = state.users[payload.user], state.isUsable(user),
            payload.issuedAt >= user.tokensValidFrom
        else { return nil }
        var scope = Caller.Scope.unscoped
        var projectName = ""
        var roles: [Role] = []
        switch payload.scope {
        case .unscoped: break
        case .project(let id):
            guard let project = state.projects[id], state.isUsable(project) else { return nil }
            scope = .project(id)
            projectName = project.name
            roles = state.roles(of: user.id, at: .project(id))
        case .domain(let key):
            guard state.domains[key]?.isEnabled == true else { return nil }
            scope = .domain(key)
            roles = state.roles(of: user.id, at: .domain(key))
        case .system:
            scope = .system
            roles = state.roles(of: user.id, at: .system)
        }
        guard payload.scope == .unscoped || !roles.isEmpty else { return nil }
        let caller = Caller(
            user: user.id, userName: user.name, userDomain: user.domain, scope: scope, projectName: projectName,
            roles: Set(roles.map(\.name)))
        return ValidToken(payload: payload, caller: caller, user: user, roles: roles)
    }
}
