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
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let password = Methods(rawValue: 1)
        public static let token = Methods(rawValue: 2)

        /// As the API lists them.
        public var names: [String] {
            (contains(.token) ? ["token"] : []) + (contains(.password) ? ["password"] : [])
        }
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

    public init(
        user: UserID, scope: Scope, methods: Methods, issuedAt: Int64, expiresAt: Int64, audit: AuditID,
        parentAudit: AuditID?
    ) {
        self.user = user
        self.scope = scope
        self.methods = methods
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.audit = audit
        self.parentAudit = parentAudit
    }

    /// Form 1: form, methods, flags (1: parent), user, issued, expires, audit, [parent], scope kind, scope. Big-endian.
    func encoded() -> [UInt8] {
        var out: [UInt8] = [1, methods.rawValue, parentAudit == nil ? 0 : 1]
        Self.append(user.high, user.low, to: &out)
        Self.append(UInt64(bitPattern: issuedAt), UInt64(bitPattern: expiresAt), to: &out)
        Self.append(audit.high, audit.low, to: &out)
        if let parentAudit { Self.append(parentAudit.high, parentAudit.low, to: &out) }
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
    init?(encoded bytes: [UInt8]) {
        var reader = Reader(bytes: bytes[...])
        guard reader.byte() == 1, let methods = reader.byte(), let flags = reader.byte(), let user = reader.pair(),
            let times = reader.pair(), let audit = reader.pair()
        else { return nil }
        var parentAudit: AuditID?
        if flags & 1 == 1 {
            guard let parent = reader.pair() else { return nil }
            parentAudit = AuditID(high: parent.0, low: parent.1)
        }
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
            audit: AuditID(high: audit.0, low: audit.1), parentAudit: parentAudit)
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
        mutating func rest() -> [UInt8] {
            defer { bytes = [] }
            return Array(bytes)
        }
    }
}
