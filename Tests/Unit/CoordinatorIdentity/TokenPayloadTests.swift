import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("what a token holds")
struct TokenPayloadTests {
    /// As the first release wrote it: form, methods, flags, user, issued, expires, audit, scope.
    private static let released: [UInt8] =
        [1, 1, 0] + word(7) + word(8) + word(1_000_000) + word(9_000_000) + word(3) + word(4) + [1] + word(1) + word(2)

    private static func word(_ value: UInt64) -> [UInt8] {
        stride(from: UInt64(56), through: 0, by: -8).map { UInt8(value >> $0 & 0xFF) }
    }

    private static let payload = TokenPayload(
        user: UserID(high: 7, low: 8), scope: .project(ProjectID(high: 1, low: 2)), methods: .password,
        issuedAt: 1_000_000, expiresAt: 9_000_000, audit: AuditID(high: 3, low: 4), parentAudit: nil)

    @Test("what the first release wrote is read, and written as it was")
    func form1() {
        #expect(TokenPayload(encoded: Self.released) == Self.payload)
        #expect(Self.payload.encoded() == Self.released)
    }

    @Test("delegations need the second form and come back")
    func form2() {
        var payload = Self.payload
        payload.methods = [.applicationCredential]
        payload.applicationCredential = AnyID(high: 11, low: 12)
        #expect(payload.encoded()[0] == 2)
        #expect(TokenPayload(encoded: payload.encoded()) == payload)
        payload.trust = AnyID(high: 13, low: 14)
        payload.parentAudit = AuditID(high: 5, low: 6)
        payload.methods = [.ec2Credential, .token]
        #expect(TokenPayload(encoded: payload.encoded()) == payload)
        payload.scope = .unscoped
        #expect(TokenPayload(encoded: payload.encoded()) == payload)
    }

    @Test("flags that a form does not know, cut and longer ones are none")
    func damage() {
        var bytes = Self.released
        bytes[2] = 2
        #expect(TokenPayload(encoded: bytes) == nil)
        bytes = Self.released
        bytes[0] = 3
        #expect(TokenPayload(encoded: bytes) == nil)
        var payload = Self.payload
        payload.trust = AnyID(high: 1, low: 1)
        let whole = payload.encoded()
        for count in whole.indices { #expect(TokenPayload(encoded: Array(whole[..<count])) == nil) }
        #expect(TokenPayload(encoded: whole + [0]) == nil)
    }

    @Test("methods by name, and which of them are the user in person")
    func methods() {
        #expect(TokenPayload.Methods([.password, .token]).names == ["token", "password"])
        #expect(TokenPayload.Methods.applicationCredential.names == ["application_credential"])
        #expect(TokenPayload.Methods([.password, .token]).arePrimary)
        for delegated: TokenPayload.Methods in [[], .applicationCredential, [.password, .ec2Credential]] {
            #expect(!delegated.arePrimary)
        }
    }
}

@Suite("access rules")
struct AccessRulesTests {
    @Test(
        "patterns",
        arguments: [
            ("/v2.1/servers", "/v2.1/servers", true), ("/v2.1/servers", "/v2.1/servers/1", false),
            ("/v2.1/servers/*/ips", "/v2.1/servers/1/ips", true), ("/v2.1/servers/*/ips", "/v2.1/servers//ips", false),
            ("/v2.1/servers/*/ips", "/v2.1/servers/1/2/ips", false), ("/v2.1/servers/{id}", "/v2.1/servers/a-b", true),
            ("/v2.1/servers/{id}", "/v2.1/servers/a/b", false), ("/v2.1/**", "/v2.1/servers/1/2", true),
            ("/v2.1/**", "/v2.1/", true), ("/v2.1/**", "/v2.1", false), ("/**/ips", "/v2.1/servers/1/ips", true),
            ("/v2.1/se*", "/v2.1/servers", true), ("/v2.1/*ers", "/v2.1/servers", true), ("/v2.1", "/v2x1", false),
            ("/a{b", "/a{b", true), ("/***", "/x", true), ("/***", "/", false), ("", "", true)
        ])
    func patterns(pattern: String, path: String, isMatch: Bool) {
        #expect(AccessRules.matches(path, pattern: pattern) == isMatch, "\(pattern) \(path)")
    }

    @Test("service, method and path must all be right, with or without the service's prefix")
    func rules() {
        let rules = AccessRules([.init(service: "compute", method: "GET", path: "/v2.1/servers")])
        func allow(_ service: String, _ method: String, _ path: String) -> Bool {
            rules.allow(service: service, method: method, path: path, prefix: "/\(service)")
        }
        #expect(allow("compute", "GET", "/compute/v2.1/servers"))
        #expect(allow("compute", "GET", "/v2.1/servers"))
        #expect(!allow("compute", "POST", "/compute/v2.1/servers"))
        #expect(!allow("image", "GET", "/image/v2.1/servers"))
        #expect(!allow("compute", "GET", "/compute/v2.1/servers/detail"))
        #expect(allow("identity", "GET", "/identity/v3/auth/tokens"))
        #expect(!allow("identity", "GET", "/identity/v3/auth/projects"))
        #expect(!AccessRules([]).allow(service: "compute", method: "GET", path: "/", prefix: "/compute"))
    }

    @Test("a pattern made to be slow is not")
    func slow() {
        let pattern = String(repeating: "**a", count: 75)
        #expect(!AccessRules.matches(String(repeating: "a", count: 4096) + "b", pattern: pattern))
    }
}
