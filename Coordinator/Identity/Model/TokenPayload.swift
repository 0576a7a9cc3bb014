import ProtocolModel

public enum AuditTag {}
/// Names one token for as long as it is valid.
public typealias AuditID = Identifier<AuditTag>

extension AuditID {
    /// 22 characters of unpadded base64url, as the identity API shows it.
    public var auditText: String {
        var bytes: [UInt8] = []
        for word in [high, low] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(word >> shift & 0xFF)) }
        }
        return Base64URL.encode(bytes)
    }
}

/// What a token holds. Everything else is looked up when it is used, so a role taken away is gone at once.
public struct TokenPayload: Sendable, Hashable {
    public enum Scope: Sendable, Hashable {
        case unscoped
        case project(ProjectID)
        case domain(String)
        case system
    }

    /// How the holder proved who they are.
    public struct Methods: OptionSet, Sendable, Hashable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        public static let password = Methods(rawValue: 1)
        public static let token = Methods(rawValue: 2)
        public static let applicationCredential = Methods(rawValue: 4)
        /// A signature with an EC2 key pair; nobody logs in with it, other services exchange it for a token.
        public static let ec2Credential = Methods(rawValue: 8)

        private static let named: [(Methods, String)] = [
            (.token, "token"), (.password, "password"), (.applicationCredential, "application_credential"),
            (.ec2Credential, "ec2credential")
        ]

        /// As the API lists them.
        public var names: [String] { Self.named.filter { contains($0.0) }.map(\.1) }

        /// The holder is the user, and not somebody or something to whom a part of the user's rights was given.
        public var arePrimary: Bool { !isEmpty && isSubset(of: [.password, .token]) }
    }

    public var user: UserID
    public var scope: Scope
    public var methods: Methods
    /// Microseconds since 1970.
    public var issuedAt: Int64
    public var expiresAt: Int64
    public var audit: AuditID
    /// The token this one was made from.
    public var parentAudit: AuditID?
    public var applicationCredential: AnyID?
    public var trust: AnyID?

    /// What the token was made with where that is not the user's own: the key of an application credential or trust,
    /// or the user's EC2 key pairs as a whole, which a token does not tell apart.
    public var delegation: String? {
        if let key = applicationCredential ?? trust { return key.compact }
        return methods.arePrimary ? nil : "\(user.compact) ec2"
    }

    public init(
        user: UserID, scope: Scope, methods: Methods, issuedAt: Int64, expiresAt: Int64, audit: AuditID,
        parentAudit: AuditID?, applicationCredential: AnyID? = nil, trust: AnyID? = nil
    ) {
        self.user = user
        self.scope = scope
        self.methods = methods
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.audit = audit
        self.parentAudit = parentAudit
        self.applicationCredential = applicationCredential
        self.trust = trust
    }

    /// Form 1: form, methods (u8), flags (1: parent), user, issued, expires, audit, [parent], scope kind, scope.
    /// Form 2: form, methods (u16), flags (2: application credential, 4: trust), user, issued, expires, audit,
    /// [parent], [application credential], [trust], scope kind, scope. Big-endian. What form 1 can say is said in it, so that the
    /// release before this one reads it.
    package func encoded() -> [UInt8] {
        var flags: UInt8 = parentAudit == nil ? 0 : 1
        if applicationCredential != nil { flags |= 2 }
        if trust != nil { flags |= 4 }
        let isForm1 = flags <= 1 && methods.rawValue < 4
        var out: [UInt8] = isForm1 ? [1] : [2, UInt8(methods.rawValue >> 8)]
        out += [UInt8(methods.rawValue & 0xFF), flags]
        Self.append(user.high, user.low, to: &out)
        Self.append(UInt64(bitPattern: issuedAt), UInt64(bitPattern: expiresAt), to: &out)
        Self.append(audit.high, audit.low, to: &out)
        if let parentAudit { Self.append(parentAudit.high, parentAudit.low, to: &out) }
        for id in [applicationCredential, trust].compactMap({ $0 }) { Self.append(id.high, id.low, to: &out) }
        switch scope {
        case .unscoped: out.append(0)
        case .project(let id):
            out.append(1)
            Self.append(id.high, id.low, to: &out)
        case .domain(let key):
            out.append(2)
            out.append(contentsOf: key.utf8)
        case .system: out.append(3)
        }
        return out
    }

    /// - Returns: `nil` for what ``encoded()`` never makes.
    package init?(encoded bytes: [UInt8]) {
        var reader = Reader(bytes: bytes[...])
        let methods: UInt16?
        let known: UInt8
        switch reader.byte() {
        case 1: (methods, known) = (reader.byte().map { UInt16($0) }, 1)
        case 2: (methods, known) = (reader.word(), 7)
        default: return nil
        }
        guard let methods, let flags = reader.byte(), flags & ~known == 0, let user = reader.pair(),
            let times = reader.pair(), let audit = reader.pair(),
            let parent = reader.identifier(if: flags & 1 != 0) as AuditID??,
            let credential = reader.identifier(if: flags & 2 != 0) as AnyID??,
            let trust = reader.identifier(if: flags & 4 != 0) as AnyID??
        else { return nil }
        let scope: Scope
        switch reader.byte() {
        case 0: scope = .unscoped
        case 1:
            guard let id = reader.pair() else { return nil }
            scope = .project(ProjectID(high: id.0, low: id.1))
        case 2: scope = .domain(String(decoding: reader.rest(), as: UTF8.self))
        case 3: scope = .system
        default: return nil
        }
        guard reader.isAtEnd else { return nil }
        self.init(
            user: UserID(high: user.0, low: user.1), scope: scope, methods: Methods(rawValue: methods),
            issuedAt: Int64(bitPattern: times.0), expiresAt: Int64(bitPattern: times.1),
            audit: AuditID(high: audit.0, low: audit.1), parentAudit: parent, applicationCredential: credential,
            trust: trust)
    }

    private static func append(_ high: UInt64, _ low: UInt64, to out: inout [UInt8]) {
        for word in [high, low] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) { out.append(UInt8(word >> shift & 0xFF)) }
        }
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        var isAtEnd: Bool { bytes.isEmpty }
        mutating func byte() -> UInt8? { bytes.popFirst() }
        mutating func pair() -> (UInt64, UInt64)? {
            guard bytes.count >= 16 else { return nil }
            let high = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let low = bytes.dropFirst(8).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            bytes = bytes.dropFirst(16)
            return (high, low)
        }
        mutating func word() -> UInt16? {
            guard let high = byte(), let low = byte() else { return nil }
            return UInt16(high) << 8 | UInt16(low)
        }
        /// - Returns: `nil` when it should be there and is not, `.some(nil)` when it should not be there.
        mutating func identifier<Resource>(if isThere: Bool) -> Identifier<Resource>?? {
            guard isThere else { return .some(nil) }
            return pair().map { .some(Identifier(high: $0.0, low: $0.1)) }
        }
        mutating func rest() -> [UInt8] {
            defer { bytes = [] }
            return Array(bytes)
        }
    }
}
