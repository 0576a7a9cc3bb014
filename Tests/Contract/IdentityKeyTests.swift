import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

/// The keys in the database are worth nothing without the file that seals them.
@Suite("identity: keys at rest")
struct IdentityKeyTests {
    private static let key = [UInt8](1...32)

    private func settings(_ key: [UInt8]?) -> IdentityService.Settings {
        var settings = IdentityService.Settings()
        settings.sealingKey = key
        return settings
    }

    /// What lies in the database, by ring.
    private func stored(_ database: any SQLDatabase) async throws -> [[UInt8]] {
        try await database.read { reader in
            try ["identity_token_keys", "identity_credential_keys"].flatMap { table in
                try reader.query("SELECT secret FROM \(table)") { $0.blob(0) }
            }
        }
    }

    @Test("with its key a restart opens what was sealed, with another one it says which file is missing")
    func restart() async throws {
        let cloud = try await IdentityCloud(settings: settings(Self.key))
        let token = await cloud.adminToken()
        let sealed = try await stored(cloud.harness.database)
        #expect(sealed.map(\.count) == [60, 60])

        let again = try await IdentityService(
            database: cloud.harness.database, clock: cloud.clock, settings: settings(Self.key))
        #expect(try again.tokens.authenticate(token: token) != nil)
        #expect(try await stored(cloud.harness.database) == sealed)

        for wrong in [nil, [UInt8](2...33)] as [[UInt8]?] {
            let error = await #expect(throws: KeyVaultError.self) {
                try await IdentityService(
                    database: cloud.harness.database, clock: cloud.clock, settings: settings(wrong))
            }
            #expect(error?.description.contains("keys/sealing.key") == true)
        }
        #expect(try await stored(cloud.harness.database) == sealed)
    }

    @Test("a key cannot stand in for another one")
    func swapped() async throws {
        let cloud = try await IdentityCloud(settings: settings(Self.key))
        try await cloud.harness.database.write {
            try $0.execute("UPDATE identity_token_keys SET secret = (SELECT secret FROM identity_credential_keys)")
        }
        await #expect(throws: KeyVaultError.self) {
            try await IdentityService(
                database: cloud.harness.database, clock: cloud.clock, settings: settings(Self.key))
        }
    }

    @Test("what an older release left open is sealed at the next start, and still opens tokens")
    func upgrade() async throws {
        let cloud = try await IdentityCloud(settings: settings(nil))
        let token = await cloud.adminToken()
        let open = try await stored(cloud.harness.database)
        #expect(open.map(\.count) == [32, 32])
        for _ in 1...2 {
            let again = try await IdentityService(
                database: cloud.harness.database, clock: cloud.clock, settings: settings(Self.key))
            #expect(try again.tokens.authenticate(token: token) != nil)
            let sealed = try await stored(cloud.harness.database)
            #expect(sealed.map(\.count) == [60, 60, 60, 60], "each ring has a new key, once")
            for key in open { for box in sealed { #expect(box.firstRange(of: key) == nil) } }
        }
    }

    @Test("what keys have sealed that once lay open is sealed anew, and nothing more with those")
    func reseal() async throws {
        let session = try await IdentitySession.admin()
        let cloud = session.cloud
        let admin = try cloud.userKey("admin")
        let blob: JSON = ["type": "x", "blob": "treasure", "user_id": .string(admin)]
        #expect(await session.send(.post, "credentials", ["credential": blob]).status == 201)
        let config: JSON = ["ldap": ["url": "ldap://x", "password": "hunter2"]]
        _ = await session.send(.put, "domains/default/config", ["config": config])
        func numbers() async throws -> [UInt8] {
            try await cloud.harness.database.read { reader in
                try [
                    "SELECT sealed FROM identity_credentials",
                    "SELECT sealed FROM identity_domain_options WHERE sealed IS NOT NULL"
                ].flatMap { try reader.query($0) { $0.blob(0)[4] } }
            }
        }
        #expect(try await numbers() == [1, 1])
        #expect(try await !IdentityService.needsSealingKey(cloud.harness.database))
        let again = try await IdentityService(
            database: cloud.harness.database, clock: cloud.clock, settings: settings(Self.key))
        #expect(try await numbers() == [2, 2])
        #expect(try await IdentityService.needsSealingKey(cloud.harness.database))
        let later = IdentitySession(cloud: IdentityCloud(again, after: cloud), token: session.token)
        let list = await later.send(.get, "credentials")
        #expect(list.json["credentials"]?.arrayValue?.compactMap { $0["blob"] } == ["treasure"])
        let third = try await IdentityService(
            database: cloud.harness.database, clock: cloud.clock, settings: settings(Self.key))
        #expect(
            IdentityRestartTests.differences(third.directory.state, again.directory.state) == [], "and only once")
    }

    @Test("keys of the ring come and go sealed")
    func renewal() async throws {
        let cloud = try await IdentityCloud(settings: settings(Self.key))
        for _ in 1...6 {
            cloud.clock.advance(by: .seconds(25 * 3600))
            try await cloud.identity.renewTokenKeys()
        }
        let again = try await IdentityService(
            database: cloud.harness.database, clock: cloud.clock, settings: settings(Self.key))
        let token = await cloud.adminToken()
        #expect(try again.tokens.authenticate(token: token) != nil)
        let rows = try await cloud.harness.database.read {
            try $0.query("SELECT number FROM identity_token_keys ORDER BY number") { $0.integer(0) }
        }
        #expect(rows == [4, 5, 6, 7])
    }
}
