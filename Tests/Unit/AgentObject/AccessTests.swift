import AgentObject
import NIOHTTP1
import ProtocolModel
import Testing

@Suite("who may")
struct AccessTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let read: String
        let write: String
        let who: Person?
        /// GET of an object, listing, PUT of an object, POST to the container.
        let answers: [Int]
        var referrer = ""
        var testDescription: String {
            "\(who.map(\.rawValue) ?? "nobody") with read '\(read)' write '\(write)' \(referrer)"
        }
    }

    private static var otherUser: String { Person.otherOwner.verdict.user.compact }
    private static var otherProject: String { Person.otherProject.compact }

    static let cases: [Case] = [
        Case(read: "", write: "", who: .owner, answers: [200, 200, 201, 204]),
        Case(read: "", write: "", who: .reseller, answers: [200, 200, 201, 204]),
        Case(read: "", write: "", who: .reader, answers: [200, 200, 403, 403]),
        Case(read: "", write: "", who: .roleless, answers: [403, 403, 403, 403]),
        Case(read: "", write: "", who: .otherOwner, answers: [403, 403, 403, 403]),
        Case(read: "", write: "", who: nil, answers: [401, 401, 401, 401]),
        Case(read: ".r:*", write: "", who: nil, answers: [200, 401, 401, 401]),
        Case(read: ".r:*,.rlistings", write: "", who: nil, answers: [200, 200, 401, 401]),
        Case(read: ".r:*", write: "", who: .otherOwner, answers: [200, 403, 403, 403]),
        Case(read: ".rlistings", write: "", who: nil, answers: [401, 401, 401, 401]),
        Case(
            read: ".r:.example.com", write: "", who: nil, answers: [200, 401, 401, 401],
            referrer: "https://www.example.com/x"),
        Case(
            read: ".r:.example.com", write: "", who: nil, answers: [401, 401, 401, 401], referrer: "https://evil.test/"),
        Case(
            read: ".r:*,.r:-evil.test", write: "", who: nil, answers: [401, 401, 401, 401], referrer: "http://evil.test"
        ),
        Case(read: "\(otherProject):*", write: "", who: .otherOwner, answers: [200, 200, 403, 403]),
        Case(read: "\(otherProject):\(otherUser)", write: "", who: .otherOwner, answers: [200, 200, 403, 403]),
        Case(read: "\(otherProject):\(otherUser)", write: "", who: .guest, answers: [403, 403, 403, 403]),
        Case(read: "*:\(otherUser)", write: "*:\(otherUser)", who: .otherOwner, answers: [200, 200, 201, 403]),
        Case(read: "other:otherOwner", write: "", who: .otherOwner, answers: [200, 200, 403, 403]),
        Case(read: "*:*", write: "", who: .guest, answers: [200, 200, 403, 403]),
        Case(read: "*:*", write: "", who: nil, answers: [401, 401, 401, 401]),
        Case(read: "visitor", write: "", who: .guest, answers: [200, 200, 403, 403]),
        Case(read: "", write: "visitor", who: .guest, answers: [403, 403, 201, 403]),
        Case(read: "", write: "\(otherProject):*", who: .otherOwner, answers: [403, 403, 201, 403])
    ]

    @Test("each kind of caller, by each kind of list", arguments: cases)
    func table(_ each: Case) async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c", ["X-Container-Read": each.read, "X-Container-Write": each.write])
        _ = try await cloud.put("c/o", "x")
        let headers: HTTPHeaders = each.referrer.isEmpty ? [:] : ["Referer": each.referrer]
        let path = ObjectCloud.account + "/c"
        let answers = [
            try await cloud.call("GET", path + "/o", headers, as: each.who).status,
            try await cloud.call("GET", path, headers, as: each.who).status,
            try await cloud.call("PUT", path + "/new", headers, [1], as: each.who).status,
            try await cloud.call("POST", path, headers, as: each.who).status
        ]
        #expect(answers == each.answers)
        // What may be written may be removed, and nothing else.
        let removed = try await cloud.call("DELETE", path + "/o", headers, as: each.who).status
        #expect((removed == 204) == (each.answers[2] == 201))
    }

    @Test("names in lists count only where they cannot be mistaken")
    func names() {
        var who = Person.otherOwner.verdict
        #expect(AccessList("other:otherOwner").names(who))
        who.projectDomain = "elsewhere"
        #expect(!AccessList("other:otherOwner").names(who))
        #expect(AccessList("\(Person.otherProject.compact):*").names(who))
    }

    @Test(
        "lists are kept in one form, and what is none is refused",
        arguments: [
            (".ref : * , a:b", ".r:*,a:b"), (".referrer:-*.evil.test", ".r:-.evil.test"), (".rlistings", ".rlistings"),
            (".x:y", nil), (".r:", nil), (".unknown", nil)
        ])
    func cleaning(text: String, kept: String?) {
        #expect((try? AccessList.clean("X-Container-Read", text)) == kept)
    }

    @Test("lists and keys are shown to owners alone")
    func hidden() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call(
            "PUT", "c", ["X-Container-Read": ".r:*,.rlistings", "X-Container-Meta-Temp-Url-Key": "secret"])
        let own = try await cloud.call("HEAD", "c")
        #expect(own["x-container-read"] == ".r:*,.rlistings" && own["x-container-meta-temp-url-key"] == "secret")
        for who in [Person.otherOwner, .reader, nil] {
            let seen = try await cloud.call("HEAD", ObjectCloud.account + "/c", as: who)
            #expect(seen.status == 204)
            #expect(seen["x-container-read"] == nil && seen["x-container-meta-temp-url-key"] == nil)
        }
        #expect(try await cloud.call("PUT", "c", ["X-Container-Write": ".r:*"]).status == 400)
    }

    @Test("a copy wants both rights, and another's container is as good as none")
    func copies() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        _ = try await cloud.put("c/o", "secret")
        _ = try await cloud.call("PUT", ObjectCloud.otherAccount + "/theirs", as: .otherOwner)
        let source = "AUTH_" + Person.project.compact
        let copy = try await cloud.call(
            "PUT", ObjectCloud.otherAccount + "/theirs/o", ["X-Copy-From": "c/o", "X-Copy-From-Account": source],
            as: .otherOwner)
        #expect(copy.status == 403)
        #expect(try await cloud.call("GET", ObjectCloud.account + "/none/o", as: .otherOwner).status == 403)
        #expect(try await cloud.call("GET", ObjectCloud.account + "/none/o", as: nil).status == 401)
        let manifest = try await cloud.call(
            "PUT", ObjectCloud.otherAccount + "/theirs/m?multipart-manifest=put", [:],
            Array("[{\"path\": \"/c/o\"}]".utf8), as: .otherOwner)
        #expect(manifest.status == 400)
    }

    @Test("quotas of accounts are the reseller's, and an account is not removed by its owner")
    func reseller() async throws {
        let cloud = try ObjectCloud()
        let quota: HTTPHeaders = ["X-Account-Meta-Quota-Bytes": "20"]
        #expect(try await cloud.call("POST", "", quota).status == 403)
        #expect(try await cloud.call("POST", "", quota, as: .reseller).status == 204)
        _ = try await cloud.call("PUT", "c")
        #expect(try await cloud.put("c/o", String(repeating: "x", count: 20)).status == 201)
        #expect(try await cloud.put("c/p", "x").status == 413)
        let count: HTTPHeaders = ["X-Account-Quota-Count": "1", "X-Account-Quota-Bytes": ""]
        #expect(try await cloud.call("POST", "", count).status == 403)
        #expect(try await cloud.call("POST", "", count, as: .reseller).status == 204)
        #expect(try await cloud.put("c/p", "").status == 413)
        #expect(try await cloud.put("c/o", String(repeating: "x", count: 30)).status == 201)
        #expect(try await cloud.call("POST", "", ["X-Account-Quota-Count": "few"], as: .reseller).status == 400)
        #expect(try await cloud.call("DELETE").status == 403)
        #expect(try await cloud.call("DELETE", as: .reseller).status == 204)
        #expect(try await cloud.call("GET", "c/o").status == 404)
    }
}

@Suite("tokens")
struct TokenGateTests {
    private func gate(_ judge: FakeJudge, _ clock: StoppedClock) -> TokenGate {
        var settings = TokenGate.Settings()
        settings.limit = 16
        return TokenGate(judge, settings: settings, clock: clock)
    }

    @Test("a verdict is asked for once while it is fresh, and a revoked token ends with that")
    func revocation() async throws {
        let judge = FakeJudge(), clock = StoppedClock()
        let gate = gate(judge, clock)
        for _ in 0..<5 { #expect(try await gate.verdict(on: "owner") != nil) }
        #expect(judge.asked == 1)
        judge.revoke(.owner)
        clock.advance(seconds: 31)
        #expect(try await gate.verdict(on: "owner") == nil)
        #expect(try await gate.verdict(on: "forged") == nil)
    }

    @Test("while the coordinator is away what was seen holds for its time, and nothing else does")
    func away() async throws {
        let judge = FakeJudge(), clock = StoppedClock()
        let gate = gate(judge, clock)
        #expect(try await gate.verdict(on: "owner") != nil)
        judge.leave()
        clock.advance(seconds: 3000)
        #expect(try await gate.verdict(on: "owner") != nil)
        await #expect(throws: TokenGate.Unavailable.self) { try await gate.verdict(on: "reader") }
        clock.advance(seconds: 601)
        await #expect(throws: TokenGate.Unavailable.self) { try await gate.verdict(on: "owner") }
        judge.comeBack()
        #expect(try await gate.verdict(on: "owner") != nil)
    }

    @Test("what is remembered is bounded")
    func bounded() async throws {
        let judge = FakeJudge(), clock = StoppedClock()
        let gate = gate(judge, clock)
        for number in 0..<100 { _ = try await gate.verdict(on: "forged \(number)") }
        let asked = judge.asked
        for number in 0..<100 { _ = try await gate.verdict(on: "forged \(number)") }
        #expect(judge.asked - asked >= 84)
    }
}
