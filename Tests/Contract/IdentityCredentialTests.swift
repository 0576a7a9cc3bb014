import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("identity: stored credentials")
struct IdentityCredentialTests {
    private func body(_ cloud: IdentityCloud, _ extra: [String: JSON] = [:]) throws -> JSON {
        let members: [String: JSON] = [
            "user_id": .string(try cloud.userKey("demo")), "project_id": .string(try cloud.projectKey("demo")),
            "type": "ec2", "blob": #"{"access": "abc", "secret": "s3cr3t"}"#
        ]
        return ["credential": .object(members.merging(extra) { $1 })]
    }

    private static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test("made, shown, listed, its secret changed, deleted")
    func life() async throws {
        let cloud = try await IdentityCloud()
        let demo = await IdentityPerson.demo(cloud)
        let made = await demo.post("credentials", try body(cloud))
        #expect(made.status == 201, "\(made.json)")
        let credential = made.json["credential"]
        #expect(credential?["id"] == .string(Self.abc))
        #expect(credential?["blob"] == #"{"access": "abc", "secret": "s3cr3t"}"#)
        let totp = await demo.post(
            "credentials", try body(cloud, ["type": "totp", "blob": "GEZDGNBV", "project_id": nil]))
        #expect(totp.status == 201 && totp.json["credential"]?["id"]?.stringValue?.utf8.count == 32)
        #expect(await demo.get("credentials/\(Self.abc)").json["credential"] == credential)
        let path = "credentials?type=ec2&user_id=\(try cloud.userKey("demo"))"
        #expect(await demo.get(path).json["credentials"]?.arrayValue?.count == 1)
        #expect(await demo.get("credentials").json["credentials"]?.arrayValue?.count == 2)
        let changed = await demo.patch(
            "credentials/\(Self.abc)", ["credential": ["blob": #"{"access": "new", "secret": "x"}"#]])
        #expect(changed.status == 200 && changed.json["credential"]?["id"] == .string(Self.abc))
        #expect(
            await demo.get("credentials/\(Self.abc)").json["credential"]?["blob"]
                == #"{"access": "new", "secret": "x"}"#)
        // As the command-line client sets one: with the members that stay.
        let same = try body(cloud)
        #expect(await demo.patch("credentials/\(Self.abc)", same).status == 200)
        #expect(await demo.delete("credentials/\(Self.abc)").status == 204)
        #expect(await demo.delete("credentials/\(Self.abc)").status == 403)
        #expect(await IdentityPerson.admin(cloud).get("credentials/\(Self.abc)").status == 404)
    }

    @Test("what a user keeps is bounded in bytes: in one record, and in all of them together")
    func budget() async throws {
        let cloud = try await IdentityCloud()
        let demo = await IdentityPerson.demo(cloud)
        func pad(_ count: Int) -> JSON { .string(String(repeating: "A", count: count)) }
        let wide = await demo.post("credentials", try body(cloud, ["type": "x", "pad": pad(17_000)]))
        #expect(wide.status == 400, "\(wide.json)")
        var made = 0
        var key = ""
        while made < 40 {
            let answer = await demo.post(
                "credentials", try body(cloud, ["type": "x", "blob": pad(60_000), "pad": pad(10_000)]))
            guard answer.status == 201 else {
                #expect(answer.status == 403, "\(answer.json)")
                break
            }
            key = answer.json["credential"]?["id"]?.stringValue ?? ""
            made += 1
        }
        #expect(made == 14)
        #expect(await demo.patch("credentials/\(key)", ["credential": ["blob": pad(60_001)]]).status == 200)
        #expect(await demo.patch("credentials/\(key)", ["credential": ["blob": "b"]]).status == 200)
        for _ in 0..<2 {
            #expect(await demo.post("credentials", try body(cloud, ["type": "x", "blob": pad(60_000)])).status == 201)
        }
        #expect(await demo.patch("credentials/\(key)", ["credential": ["blob": pad(65_536)]]).status == 403)
    }

    @Test("the database holds no secret in the clear, and a moved one opens nowhere")
    func sealing() async throws {
        let cloud = try await IdentityCloud()
        let demo = await IdentityPerson.demo(cloud)
        for access in ["abc", "def"] {
            let blob = JSON.string(#"{"access": "\#(access)", "secret": "s3cr3t"}"#)
            #expect(await demo.post("credentials", try body(cloud, ["blob": blob])).status == 201)
        }
        let rows = try await cloud.harness.database.read {
            try $0.query("SELECT sealed FROM identity_credentials ORDER BY id") { $0.blob(0) }
        }
        #expect(rows.count == 2 && rows.allSatisfy { !String(decoding: $0, as: UTF8.self).contains("s3cr3t") })
        let again = try await cloud.restarted()
        let second = APIHarness(
            services: [IdentityAPI.make(again)], database: cloud.harness.database, authenticator: again.tokens,
            clock: cloud.clock)
        let path = "/identity/v3/credentials/\(Self.abc)"
        let shown = await second.send(.get, path, bytes: [], token: demo.token)
        #expect(shown.json["credential"]?["blob"] == #"{"access": "abc", "secret": "s3cr3t"}"#)
        try await cloud.harness.database.write {
            try $0.execute("UPDATE identity_credentials SET sealed = ? WHERE record_key = ?", [rows[1], Self.abc])
        }
        let moved = try await cloud.restarted()
        let third = APIHarness(
            services: [IdentityAPI.make(moved)], database: cloud.harness.database, authenticator: moved.tokens,
            clock: cloud.clock)
        #expect(await third.send(.get, path, bytes: [], token: demo.token).status == 500)
    }

    @Test("bodies of another shape, and what must not change")
    func refusals() async throws {
        let cloud = try await IdentityCloud()
        let demo = await IdentityPerson.demo(cloud)
        let cases: [([String: JSON], Int)] = [
            (["user_id": .string(try cloud.userKey("admin"))], 403), (["user_id": 1], 400), (["blob": [:]], 400),
            (["blob": "no json"], 400), (["blob": "{}"], 400), (["blob": #"{"secret": "x"}"#], 400),
            (["project_id": nil], 400), (["project_id": "unknown"], 404), (["type": 1], 400),
            (["blob": .string(#"{"access": "a", "x": ""# + String(repeating: "x", count: 70_000) + #""}"#)], 400)
        ]
        for (change, status) in cases {
            let answer = await demo.post("credentials", try body(cloud, change))
            #expect(answer.status == status, "\(change.keys) \(answer.message)")
        }
        #expect(await demo.post("credentials", try body(cloud)).status == 201)
        #expect(await demo.post("credentials", try body(cloud)).status == 409)
        let changes: [JSON] = [
            ["type": "totp", "blob": #"{"access": "abc"}"#], ["blob": "x"], [:],
            ["blob": #"{"access": "abc", "trust_id": "t"}"#],
            ["blob": #"{"access": "abc"}"#, "user_id": .string(try cloud.userKey("admin"))]
        ]
        for change in changes {
            #expect(await demo.patch("credentials/\(Self.abc)", ["credential": change]).status == 400, "\(change)")
        }
    }

    @Test("others see and change nothing, the administrator all")
    func others() async throws {
        let cloud = try await IdentityCloud()
        let demo = await IdentityPerson.demo(cloud), admin = await IdentityPerson.admin(cloud)
        let own = try body(cloud, ["user_id": .string(try cloud.userKey("admin"))])
        #expect(await admin.post("credentials", own).status == 201)
        #expect(await demo.get("credentials").json["credentials"] == [])
        #expect(await demo.get("credentials/\(Self.abc)").status == 403)
        #expect(await demo.patch("credentials/\(Self.abc)", ["credential": ["blob": "x"]]).status == 403)
        #expect(await demo.delete("credentials/\(Self.abc)").status == 403)
        #expect(await admin.get("credentials").json["credentials"]?.arrayValue?.count == 1)
    }

    // MARK: - EC2

    private func keyPair(_ person: IdentityPerson, user: String = "demo") async throws -> JSON {
        let path = "users/\(try person.cloud.userKey(user))/credentials/OS-EC2"
        let answer = await person.post(path, ["tenant_id": .string(try person.cloud.projectKey(user))])
        #expect(answer.status == 201, "\(answer.json)")
        return answer.json["credential"] ?? .null
    }

    @Test("EC2 key pairs of one's own")
    func keyPairs() async throws {
        let cloud = try await IdentityCloud()
        let demo = await IdentityPerson.demo(cloud)
        let pair = try await keyPair(demo)
        #expect(pair["tenant_id"] == .string(try cloud.projectKey("demo")) && pair["trust_id"] == .null)
        let path = "users/\(try cloud.userKey("demo"))/credentials/OS-EC2"
        let access = pair["access"]?.stringValue ?? ""
        #expect(await demo.get("\(path)/\(access)").json["credential"] == pair)
        #expect(await demo.get(path).json["credentials"] == [pair])
        #expect(await demo.get("credentials?type=ec2").json["credentials"]?.arrayValue?.count == 1)
        let foreign = "users/\(try cloud.userKey("admin"))/credentials/OS-EC2"
        #expect(await demo.get(foreign).status == 403)
        #expect(await demo.post(foreign, ["tenant_id": .string(try cloud.projectKey("demo"))]).status == 403)
        #expect(await demo.post(path, [:]).status == 400)
        #expect(await demo.post(path, ["tenant_id": "unknown"]).status == 404)
        #expect(await demo.delete("\(path)/\(access)").status == 204)
        #expect(await demo.get("\(path)/\(access)").status == 404)
    }

    /// A request of signature version 0, which needs no more than a hash; the others have their own tests.
    private func signed(_ access: String, at time: String = "2026-01-01T00:00:00Z") -> JSON {
        [
            "credentials": [
                "access": .string(access), "signature": "kyAYuJXqu6Z/9GR1dedOiy8y1ao=", "host": "cloud.test",
                "params": ["SignatureVersion": "0", "Action": "DescribeInstances", "Timestamp": .string(time)]
            ]
        ]
    }
    private static let secret = "66aaf9e49d5d4d8e8c9a6f4a6e2d5c1b"

    @Test("a service exchanges a signed request for a token; nobody else may, and nothing else is taken")
    func exchange() async throws {
        let cloud = try await IdentityCloud()
        let demo = await IdentityPerson.demo(cloud), admin = await IdentityPerson.admin(cloud)
        let blob = JSON.string(#"{"access": "abc", "secret": "\#(Self.secret)"}"#)
        #expect(await demo.post("credentials", try body(cloud, ["blob": blob])).status == 201)
        #expect(await demo.post("ec2tokens", signed("abc")).status == 403)
        let nobody = await cloud.harness.post("/identity/v3/ec2tokens", signed("abc"), as: nil)
        #expect(nobody.status == 401)
        let answer = await admin.post("ec2tokens", signed("abc"))
        #expect(answer.status == 200, "\(answer.json)")
        #expect(answer.json["token"]?["methods"] == ["ec2credential"])
        #expect(answer.json["token"]?["user"]?["name"] == "demo")
        #expect(answer.json["token"]?["project"]?["name"] == "demo")
        let acting = IdentityPerson(cloud: cloud, token: answer.subjectToken)
        #expect(acting.isAlive)
        // A delegation: it makes no other tokens and sees no credentials.
        #expect(await cloud.authenticate(token: acting.token, scope: "unscoped").status == 403)
        #expect(await acting.get("credentials").json["credentials"] == [])
        #expect(await acting.get("credentials/\(Self.abc)").status == 403)
        #expect(await admin.post("ec2tokens", signed("unknown")).status == 404)
        #expect(await admin.post("ec2tokens", signed("abc", at: "2026-01-01T00:00:01Z")).status == 401)
        #expect(await admin.post("ec2tokens", [:]).status == 401)
        #expect(await admin.post("ec2tokens", ["credentials": ["access": "abc"]]).status == 401)
        cloud.clock.advance(by: .seconds(901))
        #expect(await admin.post("ec2tokens", signed("abc")).status == 401)
    }

    @Test("S3 requests, too, without the token's text")
    func s3() async throws {
        let cloud = try await IdentityCloud()
        let demo = await IdentityPerson.demo(cloud), admin = await IdentityPerson.admin(cloud)
        let blob = JSON.string(#"{"access": "abc", "secret": "\#(Self.secret)"}"#)
        #expect(await demo.post("credentials", try body(cloud, ["blob": blob])).status == 201)
        let text = "R0VUCgoKVGh1LCAwMSBKYW4gMjAyNiAwMDowMDowMCArMDAwMAovYnVja2V0L29iamVjdA=="
        func ask(_ signature: String, _ text: String = text) -> JSON {
            ["credentials": ["access": "abc", "token": .string(text), "signature": .string(signature)]]
        }
        let right = "9Y7qBzsrMpHIZKIvgt3ellm30mY="
        #expect(await demo.post("s3tokens", ask(right)).status == 403)
        let answer = await admin.post("s3tokens", ask(right))
        #expect(answer.status == 200 && answer.header("X-Subject-Token") == nil)
        #expect(answer.json["token"]?["user"]?["name"] == "demo")
        #expect(await admin.post("s3tokens", ask("wrong")).status == 401)
        #expect(await admin.post("s3tokens", ask(right, "%%%")).status == 401)
        #expect(await admin.patch("users/\(try cloud.userKey("demo"))", ["user": ["enabled": false]]).status == 200)
        #expect(await admin.post("s3tokens", ask(right)).status == 401)
    }
}
