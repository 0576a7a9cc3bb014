import CoordinatorFleet
import CoordinatorIdentity
import CoordinatorObjectStorage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("what agents are told of tokens")
struct IdentityVerdictTests {
    private let endpoint = ObjectEndpoint("https://objects.example:8704")

    @Test("whom a token speaks for, until it is revoked")
    func verdict() async throws {
        let cloud = try await IdentityCloud()
        let service = ObjectStorageService(tokens: cloud.identity.tokens, endpoint: endpoint, apiHost: "cloud.example")
        let token = await cloud.demoToken()
        let verdict = try #require(service.verdict(on: token, for: [.object]))
        #expect(verdict.userName == "demo" && verdict.userDomain == "default")
        #expect(verdict.projectName == "demo" && verdict.projectDomain == "default" && verdict.project != nil)
        #expect(verdict.roles.isSuperset(of: ["member", "reader"]) && !verdict.roles.contains("admin"))
        #expect(verdict.expiresAt > cloud.clock.now())
        #expect(service.verdict(on: "forged", for: [.object]) == nil)
        // A node without the role has no use for it.
        #expect(service.verdict(on: token, for: [.compute, .network, .storage]) == nil)
        let revoked = await cloud.harness.delete(
            "/identity/v3/auth/tokens", as: nil, ["X-Auth-Token": token, "X-Subject-Token": token])
        #expect(revoked.status == 204)
        #expect(service.verdict(on: token, for: [.object]) == nil)
    }

    @Test("a node's certificate is for the endpoint's host, and only with the role")
    func names() async throws {
        let tokens = try await IdentityCloud().identity.tokens
        let service = ObjectStorageService(tokens: tokens, endpoint: endpoint, apiHost: "cloud.example")
        #expect(service.names(for: [.object]) == ["objects.example"])
        #expect(service.names(for: [.compute]) == [])
        #expect(ObjectStorageService(tokens: tokens, endpoint: nil, apiHost: nil).names(for: [.object]) == [])
        // Whoever had a certificate for the API's name could stand in for it.
        for api in ["objects.example", "Objects.Example."] {
            #expect(ObjectStorageService(tokens: tokens, endpoint: endpoint, apiHost: api).names(for: [.object]) == [])
        }
        let local = ObjectStorageService(
            tokens: tokens, endpoint: ObjectEndpoint("https://127.0.0.1:8704"), apiHost: "127.0.0.1")
        #expect(Set(local.names(for: [.object])) == ["localhost", "127.0.0.1", "::1"])
    }
}
