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
        let service = ObjectStorageService(
            tokens: cloud.identity.tokens, keys: SigningKeyService(cloud.identity), endpoint: endpoint,
            apiHost: "cloud.example")
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

    @Test("what an access key signs with: the derived key and never the secret, until it is revoked")
    func signingKeys() async throws {
        let cloud = try await IdentityCloud()
        let service = ObjectStorageService(
            tokens: cloud.identity.tokens, keys: SigningKeyService(cloud.identity), endpoint: endpoint, apiHost: nil)
        let demo = await IdentityPerson.demo(cloud), admin = await IdentityPerson.admin(cloud)
        func keep(_ access: String, _ extra: String = "") async throws -> Int {
            await demo.post(
                "credentials",
                [
                    "credential": [
                        "user_id": .string(try cloud.userKey("demo")), "type": "ec2",
                        "project_id": .string(try cloud.projectKey("demo")),
                        "blob": .string(
                            "{\"access\": \"\(access)\", \"secret\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"\(extra)}"
                        )
                    ]
                ]
            ).status
        }
        #expect(try await keep("AKIDEXAMPLE") == 201)
        #expect(try await keep("DELEGATED", ", \"app_cred_id\": \"x\"") == 201)
        let day = String(Timestamp.seconds(cloud.clock.now()).prefix(10)).replacing("-", with: "")
        func key(_ access: String, _ date: String, _ roles: Set<NodeReport.Role> = [.object]) throws -> SigningKey? {
            try service.signingKey(SigningKeyRequest(access: access, date: date, region: "us-east-1"), for: roles)
        }
        let held = try #require(try key("AKIDEXAMPLE", day))
        #expect(held.holder.userName == "demo" && held.holder.projectName == "demo")
        #expect(held.holder.roles.contains("member") && !held.holder.roles.contains("admin"))
        #expect(held.holder.expiresAt > cloud.clock.now())
        #expect(held.key.count == 32 && !String(decoding: held.key, as: UTF8.self).contains("wJalr"))
        #expect(try key("AKIDEXAMPLE", day, [.compute]) == nil)
        for (access, date) in [
            ("nobody", day), ("DELEGATED", day), ("AKIDEXAMPLE", "20200101"), ("AKIDEXAMPLE", "99990101"),
            ("AKIDEXAMPLE", "2020-1-1"), ("AKIDEXAMPLE", "")
        ] { #expect(try key(access, date) == nil, "\(access) \(date)") }
        let path = "users/\(try cloud.userKey("demo"))"
        #expect(await admin.patch(path, ["user": ["enabled": false]]).status == 200)
        #expect(try key("AKIDEXAMPLE", day) == nil)
        #expect(await admin.patch(path, ["user": ["enabled": true]]).status == 200)
        #expect(try key("AKIDEXAMPLE", day) != nil)
        #expect(await admin.delete("\(path)/credentials/OS-EC2/AKIDEXAMPLE").status == 204)
        #expect(try key("AKIDEXAMPLE", day) == nil)
    }

    @Test("a node's certificate is for the endpoint's host, and only with the role")
    func names() async throws {
        let identity = try await IdentityCloud().identity
        func service(_ endpoint: ObjectEndpoint?, api: String?) -> ObjectStorageService {
            ObjectStorageService(
                tokens: identity.tokens, keys: SigningKeyService(identity), endpoint: endpoint, apiHost: api)
        }
        #expect(service(endpoint, api: "cloud.example").names(for: [.object]) == ["objects.example"])
        #expect(service(endpoint, api: "cloud.example").names(for: [.compute]) == [])
        #expect(service(nil, api: nil).names(for: [.object]) == [])
        // Whoever had a certificate for the API's name could stand in for it.
        for api in ["objects.example", "Objects.Example."] {
            #expect(service(endpoint, api: api).names(for: [.object]) == [])
        }
        let local = service(ObjectEndpoint("https://127.0.0.1:8704"), api: "127.0.0.1")
        #expect(Set(local.names(for: [.object])) == ["localhost", "127.0.0.1", "::1"])
    }
}
