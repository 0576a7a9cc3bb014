import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("reading bodies")
struct FieldsTests {
    private let fields = Fields(
        ["name": "abc", "n": 5, "text": "7", "flag": true, "word": "Yes", "none": nil, "list": [1, "x"], "half": 1.5],
        path: ["server"])

    @Test("what is right is read")
    func right() throws {
        #expect(try fields.string("name", length: 1...3) == "abc")
        #expect(try fields.optionalString("missing") == nil)
        #expect(try fields.nullableString("none") == .some(nil))
        #expect(try fields.nullableString("missing") == nil)
        #expect(try fields.int("n", in: 0...5) == 5)
        #expect(try fields.int("text", orText: true) == 7)
        #expect(try fields.optionalBool("flag") == true)
        #expect(try fields.optionalLooseBool("word") == true)
        #expect(try fields.optionalArray("list")?.count == 2)
    }

    /// What a closure is refused with.
    private func refusal(_ body: (Fields) throws -> Void) -> String {
        do { try body(fields) } catch { return (error as? APIError)?.message ?? "\(error)" }
        return ""
    }

    @Test("what is wrong is named in the words of JSON schemas")
    func wrong() {
        let start = "Invalid input for field/attribute"
        #expect(refusal { _ = try $0.string("name", length: 4...9) } == "\(start) name. Value: abc. 'abc' is too short")
        #expect(refusal { _ = try $0.string("name", length: 0...2) } == "\(start) name. Value: abc. 'abc' is too long")
        #expect(refusal { _ = try $0.string("n") } == "\(start) n. Value: 5. 5 is not of type 'string'")
        #expect(refusal { _ = try $0.string("none") } == "\(start) none. Value: None. None is not of type 'string'")
        #expect(refusal { _ = try $0.int("n", in: 6...9) } == "\(start) n. Value: 5. 5 is less than the minimum of 6")
        #expect(
            refusal { _ = try $0.int("n", in: 0...4) } == "\(start) n. Value: 5. 5 is greater than the maximum of 4")
        #expect(refusal { _ = try $0.int("half") } == "\(start) half. Value: 1.5. 1.5 is not of type 'integer'")
        #expect(refusal { _ = try $0.int("text") } == "\(start) text. Value: 7. '7' is not of type 'integer'")
        #expect(
            refusal { _ = try $0.optionalBool("word") } == "\(start) word. Value: Yes. 'Yes' is not of type 'boolean'")
        #expect(
            refusal { _ = try $0.optionalChoice("name", of: ["a", "b"]) }
                == "\(start) name. Value: abc. 'abc' is not one of ['a', 'b']")
        #expect(
            refusal { _ = try $0.object("list") } == "\(start) list. Value: [1, 'x']. [1, 'x'] is not of type 'object'")
        #expect(refusal { _ = try Fields($0.members).string("gone") } == "'gone' is a required property")
        #expect(
            refusal { try Fields($0.members).allow(only: ["name", "n", "text", "flag", "word", "none", "list"]) }
                == "Additional properties are not allowed ('half' was unexpected)")
    }

    @Test(
        "values as Python shows them",
        arguments: [
            (JSON.null, "None"), (true, "True"), ("it's", "\"it's\""),
            (["b": 1, "a": [nil, "x"]], "{'a': [None, 'x'], 'b': 1}")
        ] as [(JSON, String)])
    func python(value: JSON, text: String) {
        #expect(value.pythonQuoted == text)
    }
}

@Suite("policy")
struct PolicyTests {
    private let own = ProjectID(high: 1, low: 1)
    private let other = ProjectID(high: 2, low: 2)

    private func caller(_ roles: Set<String>, _ scope: Caller.Scope) -> Caller {
        Caller(
            user: UserID(high: 3, low: 3), userName: "u", userDomain: "default", scope: scope, projectName: "p",
            roles: roles)
    }

    @Test("personas reach as far as their scope")
    func personas() {
        let policy = Policy(rules: [
            "member": .projectMember, "domain": .domain("reader"), "own": .owner, "system": .systemReader,
            "either": .owner || .domain("manager")
        ])
        let member = caller(["member", "reader"], .project(own))
        #expect(policy.allows("member", member, .init(project: own)))
        #expect(!policy.allows("member", member, .init(project: other)))
        #expect(policy.allows("member", member))
        #expect(!policy.allows("member", caller(["reader"], .project(own)), .init(project: own)))
        #expect(policy.allows("domain", caller(["reader"], .domain("d")), .init(domain: "d")))
        #expect(!policy.allows("domain", caller(["reader"], .domain("d")), .init(domain: "e")))
        #expect(!policy.allows("domain", caller(["reader"], .project(own)), .init(domain: "default")))
        #expect(policy.allows("own", member, .init(user: member.user)))
        #expect(!policy.allows("own", member, .init(user: UserID(high: 9, low: 9))))
        #expect(!policy.allows("own", member))
        #expect(policy.allows("system", caller(["reader"], .system)) && !policy.allows("system", member))
        #expect(policy.allows("either", caller(["manager"], .domain("d")), .init(domain: "d")))
        #expect(!policy.allows("unknown", member) && policy.allows("unknown", caller(["admin"], .project(own))))
    }
}
