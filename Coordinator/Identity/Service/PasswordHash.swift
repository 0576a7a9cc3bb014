import CoordinatorPlatform
import CryptoExtras

import struct FoundationEssentials.Data

/// A password as it is stored: scrypt (RFC 7914) with its parameters beside it, so that raising them later leaves the
/// old ones readable. `$scrypt$ln=14,r=8,p=1$SALT$HASH`, salt and hash in unpadded base64url.
package struct PasswordHash: Sendable, Equatable {
    package struct Cost: Sendable, Equatable {
        /// Binary logarithm of N, block size and parallelism. 14 takes 16 MiB and some 40 ms: what OWASP asks of scrypt
        /// with p = 1 is 17, for servers that have the memory; one that idles in 40 MiB does not, and its few users log
        /// in through tokens.
        package var logN: Int
        package var r: Int
        package var p: Int

        package init(logN: Int, r: Int, p: Int) {
            self.logN = logN
            self.r = r
            self.p = p
        }

        static let standard = Cost(logN: 14, r: 8, p: 1)
    }

    package var cost: Cost
    var salt: [UInt8]
    var hash: [UInt8]

    /// Blocking: run it on a ``BlockingPool``.
    init(of password: String, salt: [UInt8], cost: Cost) throws {
        self.cost = cost
        self.salt = salt
        hash = try Self.derive(password, salt, cost)
    }

    package init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: true)
        guard parts.count == 4, parts[0] == "scrypt", let salt = Base64URL.decode(parts[2]),
            let hash = Base64URL.decode(parts[3]), !salt.isEmpty, !hash.isEmpty
        else { return nil }
        var numbers: [Substring: Int] = [:]
        for pair in parts[1].split(separator: ",") {
            let sides = pair.split(separator: "=")
            if sides.count == 2 { numbers[sides[0]] = Int(sides[1]) }
        }
        guard let logN = numbers["ln"], let r = numbers["r"], let p = numbers["p"], (1...20).contains(logN),
            (1...32).contains(r), (1...16).contains(p)
        else { return nil }
        cost = Cost(logN: logN, r: r, p: p)
        self.salt = salt
        self.hash = hash
    }

    var text: String {
        "$scrypt$ln=\(cost.logN),r=\(cost.r),p=\(cost.p)$\(Base64URL.encode(salt))$\(Base64URL.encode(hash))"
    }

    /// Takes the same time for every wrong password. Blocking.
    func matches(_ password: String) throws -> Bool {
        let derived = try Self.derive(password, salt, cost)
        guard derived.count == hash.count else { return false }
        return zip(derived, hash).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func derive(_ password: String, _ salt: [UInt8], _ cost: Cost) throws -> [UInt8] {
        // The library cannot take an empty password; a NUL behind each one changes no other property.
        let key = try KDF.Scrypt.deriveKey(
            from: Data(Array(password.utf8) + [0]), salt: Data(salt), outputByteCount: 32, rounds: 1 << cost.logN,
            blockSize: cost.r, parallelism: cost.p)
        return key.withUnsafeBytes { Array($0) }
    }
}

/// Hashes and checks passwords, at most a few at a time: each takes 16 MiB for some 40 ms.
public struct PasswordHasher: Sendable {
    private let pool: BlockingPool
    private let cost: PasswordHash.Cost
    /// Checked where there is no user, so that the time taken does not tell who exists.
    private let nobody: PasswordHash?

    public init(pool: BlockingPool = BlockingPool(threads: 2, waiting: 256)) { self.init(pool: pool, cost: .standard) }

    /// - Parameter logN: Cheaper hashes for tests.
    package init(pool: BlockingPool, logN: Int) { self.init(pool: pool, cost: .init(logN: logN, r: 8, p: 1)) }

    private init(pool: BlockingPool, cost: PasswordHash.Cost) {
        self.pool = pool
        self.cost = cost
        nobody = try? PasswordHash(of: "nobody", salt: Self.randomSalt(), cost: cost)
    }

    public func hash(_ password: String) async throws -> String {
        let salt = Self.randomSalt()
        return try await run { try PasswordHash(of: password, salt: salt, cost: cost).text }
    }

    /// - Parameter stored: `nil` where there is no such user or password: takes as long and says no.
    public func verify(_ password: String, against stored: String?) async throws -> Bool {
        let known = stored.flatMap(PasswordHash.init(text:))
        guard let candidate = known ?? nobody else { return false }
        return try await run { try candidate.matches(password) } && known != nil
    }

    private func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        do { return try await pool.run(work) } catch is BlockingPool.Overloaded {
            throw APIError(
                status: 503, message: "Too many passwords are being checked: try again in a moment.",
                headers: [("Retry-After", "1")])
        }
    }

    private static func randomSalt() -> [UInt8] { (0..<16).map { _ in UInt8.random(in: 0...255) } }
}
