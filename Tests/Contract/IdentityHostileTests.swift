import CoordinatorIdentity
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing
import TestsSupportRandomness

@Suite("identity: hostile requests")
struct IdentityHostileTests {
    private static let kinds = ["project", "user", "group", "role", "domain", "region", "service", "endpoint"]
    private static let names = [
        "name", "description", "enabled", "domain_id", "parent_id", "tags", "password", "default_project_id", "id",
        "type",
        "interface", "service_id", "region_id", "url", "options", "is_domain", "email", "links", "extra"
    ]

    private static func value(_ dice: inout SeededGenerator, depth: Int = 0) -> JSON {
        switch Int.random(in: 0..<12, using: &dice) {
        case 0: nil
        case 1: .bool(.random(using: &dice))
        case 2: .int(.random(in: .min ... .max, using: &dice))
        case 3: .double(.random(in: -1e300...1e300, using: &dice))
        case 4: "default"
        case 5: .string(String(repeating: "ü", count: .random(in: 0..<400, using: &dice)))
        case 6: .string(AnyID.random(using: &dice).compact)
        case 7: .string("' OR 1=1; -- \u{1F600}\u{202E}%s{}")
        case 8 where depth < 4: .array((0..<3).map { _ in value(&dice, depth: depth + 1) })
        case 9 where depth < 4: .object(["a": value(&dice, depth: depth + 1), "": value(&dice, depth: depth + 1)])
        case 10: "public"
        default: .string("n\(Int.random(in: 0..<50, using: &dice))")
        }
    }

    @Test("no request makes a 5xx, and no refused one a change", arguments: [1, 2, 3] as [UInt64])
    func resources(seed: UInt64) async throws {
        let cloud = try await IdentityCloud()
        let token = await cloud.adminToken()
        var dice = SeededGenerator(seed: seed)
        for number in 0..<700 {
            let kind = Self.kinds.randomElement(using: &dice) ?? "user"
            let key = Bool.random(using: &dice) ? AnyID.random(using: &dice).compact : "%00%ff'\"..%2f"
            var members: [String: JSON] = [:]
            for _ in 0..<Int.random(in: 0..<6, using: &dice) {
                members[Self.names.randomElement(using: &dice) ?? ""] = Self.value(&dice)
            }
            let methods: [HTTPRequest.Method] = [.post, .post, .post, .patch, .delete, .get]
            let method = methods.randomElement(using: &dice) ?? .get
            let path = "/identity/v3/\(kind)s" + (method == .post ? "" : "/\(key)")
            let body: JSON = Int.random(in: 0..<10, using: &dice) == 0 ? Self.value(&dice) : [kind: .object(members)]
            let before = cloud.identity.directory.state.generation
            let answer = await cloud.harness.send(method, path, bytes: body.serialize(), token: token)
            #expect(answer.status < 500, "seed \(seed), request \(number): \(method) \(path) \(body.text)")
            if answer.status >= 400 { #expect(cloud.identity.directory.state.generation == before) }
        }
    }

    @Test("log-ins of any shape are refused, never a 5xx", arguments: [4, 5] as [UInt64])
    func logins(seed: UInt64) async throws {
        let cloud = try await IdentityCloud()
        var dice = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var user: [String: JSON] = ["name": "admin", "domain": ["id": "default"], "password": "wrong"]
            user[["name", "domain", "password", "id"].randomElement(using: &dice) ?? ""] = Self.value(&dice)
            var identity: [String: JSON] = ["methods": ["password"], "password": ["user": .object(user)]]
            if Bool.random(using: &dice) { identity["methods"] = Self.value(&dice) }
            let body: JSON = ["auth": ["identity": .object(identity), "scope": Self.value(&dice)]]
            let answer = await cloud.harness.post("/identity/v3/auth/tokens", body, as: nil)
            #expect((400..<500).contains(answer.status), "\(answer.status) for \(body.text)")
        }
    }
}
