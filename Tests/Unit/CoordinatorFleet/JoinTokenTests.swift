import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel
import Testing

@Suite("join tokens")
struct JoinTokenTests {
    private let nodes = NodeService(
        registry: SessionRegistry(startedAt: 0), observers: [],
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    private static let authority = [UInt8](repeating: 7, count: JoinToken.hashBytes)

    private func token(_ uses: Int, on database: EmbeddedDatabase) async throws -> JoinToken {
        try await database.write { [nodes] transaction in
            try nodes.makeToken(authority: Self.authority, uses: uses, lifetime: 100, now: 1_000, in: transaction)
        }
    }

    private func join(
        _ token: JoinToken, as hostname: String, at now: Int64 = 1_000, on database: EmbeddedDatabase
    ) async throws -> NodeID? {
        try await database.write { [nodes] transaction in
            try nodes.admit(secret: token.secret, hostname: hostname, at: now, in: transaction)
        }
    }

    @Test("a token is good for as many joins as it was made for, and for no more", arguments: [1, 3])
    func uses(_ count: Int) async throws {
        let database = try await FleetFixture.database()
        let token = try await token(count, on: database)
        for number in 1...count { #expect(try await join(token, as: "host-\(number)", on: database) != nil) }
        #expect(try await join(token, as: "one-too-many", on: database) == nil)
        let known = try await database.read { [nodes] in try nodes.nodes(in: $0).map(\.hostname) }
        #expect(known == (1...count).map { "host-\($0)" })
    }

    @Test("of many who come with one token at once, one joins")
    func race() async throws {
        let database = try await FleetFixture.database()
        let token = try await token(1, on: database)
        let joined = try await withThrowingTaskGroup(of: NodeID?.self) { group in
            for number in 0..<20 { group.addTask { try await join(token, as: "host-\(number)", on: database) } }
            return try await group.reduce(into: 0) { if $1 != nil { $0 += 1 } }
        }
        #expect(joined == 1)
    }

    @Test("a token ends with its time, and one that nobody made is worth nothing")
    func expiry() async throws {
        let database = try await FleetFixture.database()
        let late = try await token(1, on: database)
        #expect(try await join(late, as: "host", at: 1_101, on: database) == nil)
        #expect(try await join(late, as: "host", at: 1_100, on: database) != nil)
        let forged = try #require(JoinToken.make(authorityHash: Self.authority))
        #expect(try await join(forged, as: "other", on: database) == nil)
    }

    @Test("a join that is refused for its name uses nothing up")
    func takenName() async throws {
        let database = try await FleetFixture.database()
        _ = try await join(try await token(1, on: database), as: "host", on: database)
        let second = try await token(1, on: database)
        await #expect(throws: APIError.self) { try await join(second, as: "host", on: database) }
        #expect(try await join(second, as: "host-2", on: database) != nil)
    }
}
