import CoordinatorPlatform
import ProtocolModel

/// What all things of the identity service have.
public protocol IdentityRecord: Sendable {
    /// As clients see it: 32 hexadecimal digits, `default`, or an operator's word (regions).
    var key: String { get }
    /// Counts the changes; a write that has seen an older one is refused.
    var generation: Int64 { get set }
    /// Members that the API takes and gives back without a meaning of their own.
    var extra: [String: JSON] { get set }
}

public struct Domain: IdentityRecord, Hashable {
    public var key: String
    public var name: String
    public var description = ""
    public var isEnabled = true
    public var tags: [String] = []
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1

    public static let defaultKey = "default"

    public init(
        key: String, name: String, description: String = "", isEnabled: Bool = true, tags: [String] = [],
        extra: [String: JSON] = [:], generation: Int64 = 1
    ) {
        self.key = key
        self.name = name
        self.description = description
        self.isEnabled = isEnabled
        self.tags = tags
        self.extra = extra
        self.generation = generation
    }
}

public struct Project: IdentityRecord, Hashable {
    public var id: ProjectID
    public var domain: String
    /// `nil` for one that stands directly below its domain.
    public var parent: ProjectID?
    public var name: String
    public var description = ""
    public var isEnabled = true
    public var tags: [String] = []
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1

    public var key: String { id.compact }

    public init(
        id: ProjectID, domain: String, parent: ProjectID?, name: String, description: String = "",
        isEnabled: Bool = true, tags: [String] = [], extra: [String: JSON] = [:], generation: Int64 = 1
    ) {
        self.id = id
        self.domain = domain
        self.parent = parent
        self.name = name
        self.description = description
        self.isEnabled = isEnabled
        self.tags = tags
        self.extra = extra
        self.generation = generation
    }
}

public struct User: IdentityRecord, Hashable {
    public var id: UserID
    public var domain: String
    public var name: String
    public var description: String?
    public var isEnabled = true
    public var defaultProject: String?
    /// ``PasswordHash`` in its text form; `nil` for one who cannot log in with a password.
    public var passwordHash: String?
    /// Tokens issued before are void: the moment of the last password change or disabling, microseconds since 1970.
    /// Never goes back, see ``endTokens(at:)``.
    public var tokensValidFrom: Int64 = 0
    /// Microseconds since 1970; `nil` for one made before this was noted.
    public var createdAt: Int64?
    public var passwordState = PasswordState()
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1

    public var key: String { id.compact }

    public init(
        id: UserID, domain: String, name: String, description: String? = nil, isEnabled: Bool = true,
        defaultProject: String? = nil, passwordHash: String? = nil, tokensValidFrom: Int64 = 0,
        createdAt: Int64? = nil, passwordState: PasswordState = PasswordState(),
        extra: [String: JSON] = [:], generation: Int64 = 1
    ) {
        self.id = id
        self.domain = domain
        self.name = name
        self.description = description
        self.isEnabled = isEnabled
        self.defaultProject = defaultProject
        self.passwordHash = passwordHash
        self.tokensValidFrom = tokensValidFrom
        self.createdAt = createdAt
        self.passwordState = passwordState
        self.extra = extra
        self.generation = generation
    }

    /// Voids all tokens from before now. Where the clock was set back, the last bound lies ahead, and tokens bear it:
    /// those must end, too, and none that had ended may come back.
    public mutating func endTokens(at now: Int64) {
        tokensValidFrom = max(now, tokensValidFrom > now ? tokensValidFrom + 1 : 0)
    }
}

public struct Group: IdentityRecord, Hashable {
    public var key: String
    public var domain: String
    public var name: String
    public var description = ""
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1

    public init(
        key: String, domain: String, name: String, description: String = "", extra: [String: JSON] = [:],
        generation: Int64 = 1
    ) {
        self.key = key
        self.domain = domain
        self.name = name
        self.description = description
        self.extra = extra
        self.generation = generation
    }
}

public struct Role: IdentityRecord, Hashable {
    public var key: String
    public var name: String
    /// `nil` for a role of the whole cloud.
    public var domain: String?
    public var description: String?
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1

    /// As policies compare names: without regard to the case of ASCII letters.
    var foldedName: String { Self.folded(name) }

    static func folded(_ name: String) -> String {
        String(
            decoding: name.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 },
            as: UTF8.self)
    }

    public init(
        key: String, name: String, domain: String? = nil, description: String? = nil, extra: [String: JSON] = [:],
        generation: Int64 = 1
    ) {
        self.key = key
        self.name = name
        self.domain = domain
        self.description = description
        self.extra = extra
        self.generation = generation
    }
}

public struct Region: IdentityRecord, Hashable {
    public var key: String
    public var description = ""
    public var parent: String?
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1
}

/// A service of the catalog.
public struct CatalogService: IdentityRecord, Hashable {
    public var key: String
    /// `compute`, `identity`, ...
    public var type: String
    public var name: String
    public var description: String?
    public var isEnabled = true
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1
}

public struct Endpoint: IdentityRecord, Hashable {
    public var key: String
    public var service: String
    /// `public`, `internal` or `admin`.
    public var interface: String
    public var region: String?
    public var url: String
    public var isEnabled = true
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1
}

/// A role given to somebody somewhere.
public struct Assignment: Hashable, Sendable {
    public enum Actor: Hashable, Sendable {
        case user(UserID)
        case group(String)
    }
    public enum Target: Hashable, Sendable {
        case project(ProjectID)
        case domain(String)
        /// The project that acts as the domain of this key. What is given there is not given on the domain; no token
        /// is ever for it, so it shows, and counts below when inherited.
        case domainAsProject(String)
        case system
    }

    public var actor: Actor
    public var target: Target
    public var role: String
    /// It counts in the projects below the target instead of in the target itself.
    public var isInherited = false

    public init(actor: Actor, target: Target, role: String, isInherited: Bool = false) {
        self.actor = actor
        self.target = target
        self.role = role
        self.isInherited = isInherited
    }
}
