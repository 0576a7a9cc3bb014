import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("sealed tokens")
struct TokenTests {
    private static let payload = TokenPayload(
        user: UserID(high: 7, low: 8), scope: .project(ProjectID(high: 1, low: 2)), methods: [.password, .token],
        issuedAt: 1_000_000, expiresAt: 9_000_000, audit: AuditID(high: 3, low: 4),
        parentAudit: AuditID(high: 5, low: 6))

    private static func key(_ number: UInt32) -> TokenKey {
        TokenKey(number: number, secret: [UInt8](repeating: UInt8(number), count: 32), createdAt: 0)
    }

    @Test(
        "every scope comes back",
        arguments: [
            .unscoped, .system, .domain("default"), .domain(""), .project(ProjectID(high: .max, low: 0))
        ] as [TokenPayload.Scope])
    func scopes(scope: TokenPayload.Scope) throws {
        let sealer = TokenSealer([Self.key(1)])
        var payload = Self.payload
        payload.scope = scope
        #expect(sealer.open(try sealer.seal(payload)) == payload)
        payload.parentAudit = nil
        #expect(sealer.open(try sealer.seal(payload)) == payload)
    }

    @Test("keys that were read before newer ones do not take their place")
    func overtaken() throws {
        let sealer = TokenSealer([Self.key(1)])
        sealer.replaceKeys([Self.key(1), Self.key(2)])
        let token = try sealer.seal(Self.payload)
        sealer.replaceKeys([Self.key(1)])
        #expect(sealer.open(token) == Self.payload)
        sealer.replaceKeys([Self.key(2), Self.key(3)])
        #expect(sealer.open(token) == Self.payload)
        #expect(try TokenSealer([Self.key(3)]).open(sealer.seal(Self.payload)) == Self.payload)
    }

    @Test("changing any character, cutting or adding makes it worthless")
    func tampering() throws {
        let sealer = TokenSealer([Self.key(1)])
        let token = try sealer.seal(Self.payload)
        #expect(
            token.utf8.allSatisfy {
                $0 == 0x2D || $0 == 0x5F || Character(Unicode.Scalar($0)).isLetter
                    || Character(Unicode.Scalar($0)).isNumber
            })
        let characters = Array(token)
        for index in characters.indices {
            var changed = characters
            changed[index] = changed[index] == "A" ? "B" : "A"
            #expect(sealer.open(String(changed)) == nil)
            #expect(sealer.open(String(characters[..<index])) == nil)
        }
        #expect(sealer.open(token + "A") == nil)
        #expect(sealer.open("") == nil)
        #expect(sealer.open(String(repeating: "A", count: 100_000)) == nil)
    }

    @Test("older keys of the ring still open, forgotten ones do not")
    func rotation() throws {
        let old = try TokenSealer([Self.key(1)]).seal(Self.payload)
        let sealer = TokenSealer([Self.key(1), Self.key(2)])
        #expect(sealer.open(old) == Self.payload)
        let new = try sealer.seal(Self.payload)
        sealer.replaceKeys([Self.key(2), Self.key(3)])
        #expect(sealer.open(old) == nil)
        #expect(sealer.open(new) == Self.payload)
    }
}

@Suite("passwords")
struct PasswordTests {
    private let hasher = PasswordHasher(pool: BlockingPool(threads: 1, waiting: 8), logN: 4)

    @Test(
        "right and wrong ones, and users without",
        arguments: ["secret", "", "pass\u{0}word", "großes 🔑", String(repeating: "x", count: 5000)])
    func verify(password: String) async throws {
        let stored = try await hasher.hash(password)
        #expect(stored.hasPrefix("$scrypt$ln=4,r=8,p=1$"))
        #expect(try await hasher.verify(password, against: stored))
        #expect(try await !hasher.verify(password + "x", against: stored))
        #expect(try await !hasher.verify(password, against: nil))
        #expect(try await !hasher.verify(password, against: "garbage"))
        #expect(try await hasher.hash(password) != stored)
    }

    @Test("the stored form is read strictly")
    func parameters() throws {
        #expect(PasswordHash(text: "$scrypt$ln=14,r=8,p=1$c2FsdA$aGFzaA")?.cost == .init(logN: 14, r: 8, p: 1))
        for bad in [
            "", "$scrypt$ln=99,r=8,p=1$c2FsdA$aGFzaA", "$bcrypt$x$y$z", "$scrypt$ln=14$c2FsdA$aGFzaA",
            "$scrypt$ln=14,r=8,p=1$$"
        ] {
            #expect(PasswordHash(text: bad) == nil)
        }
    }
}
