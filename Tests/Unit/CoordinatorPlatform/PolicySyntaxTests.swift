import CoordinatorPlatform
import Testing
import TestsSupportRandomness

@Suite("the policy language")
struct PolicySyntaxTests {
    /// What is read, and how it is printed; nothing where that is the same.
    static let sound: [(String, String?)] = [
        ("@", nil), ("!", nil), ("", "@"),
        ("role:reader", nil), ("role:Reader", "role:reader"), ("rule:admin_required", nil),
        ("user_id:%(user_id)s", nil), ("user_id:%(target.user.id)s", "user_id:%(user_id)s"),
        ("tenant_id:%(tenant_id)s", "project_id:%(project_id)s"),
        ("project_id:%(target.project.id)s", nil),
        ("domain_id:%(target.user.domain_id)s", "domain_id:%(target.domain.id)s"),
        ("system_scope:all", nil), ("is_admin:True", nil), ("is_admin:1", "is_admin:True"),
        ("'public':%(visibility)s", nil), ("\"public\":%(visibility)s", "'public':%(visibility)s"),
        ("None:%(target.role.domain_id)s", nil), ("True:%(enabled)s", nil), ("42:%(size)s", nil),
        ("'a b':%(name)s", nil), ("'it:s':%(name)s", nil), ("user_domain_id:'two words'", nil),
        ("user_domain_id:'plain'", "user_domain_id:plain"),
        (
            "project_id:11111111-1111-4111-8111-111111111111", "project_id:11111111111141118111111111111111"
        ),
        ("role:a and role:b or role:c", nil), ("role:a or role:b and role:c", nil),
        ("(role:a or role:b) and role:c", nil), ("((role:a))", "role:a"),
        ("not role:a and role:b", nil), ("not (role:a and role:b)", nil), ("not not role:a", nil),
        ("role:a OR NOT role:b", "role:a or not role:b"),
        ("role:a or (role:b or role:c)", nil), ("role:a and (role:b and role:c)", nil),
        ("  role:a\n  or\trole:b ", "role:a or role:b"),
        ("(role:a)or(role:b)", "role:a or role:b")
    ]

    @Test("what is read is printed with the same meaning", arguments: sound.indices)
    func reads(index: Int) throws {
        let (text, printed) = Self.sound[index]
        let tree = try PolicyParser.parse(text)
        #expect(tree.description == printed ?? text)
        #expect(try PolicyParser.parse(tree.description) == tree)
    }

    static let wrong: [(String, Int, String)] = [
        (" ", 1, "nothing but blanks"),
        ("admin", 1, "'admin' is no check: write KIND:VALUE as in role:reader, '@' or '!'"),
        ("role:", 6, "a value is missing after 'role:'"),
        ("role:a and", 11, "a check is missing at the end"),
        ("role:a or or role:b", 11, "expected a check, not 'or'"),
        ("role:a role:b", 8, "expected 'and', 'or' or the end, not 'role:b'"),
        ("(role:a or role:b", 1, "this '(' is never closed"),
        ("role:a)", 7, "this ')' closes nothing"),
        ("()", 2, "expected a check, not ')'"),
        ("not", 4, "a check is missing at the end"),
        ("role:%(x)s", 6, "role: takes a name, no '%(...)s'"),
        ("user_id:%(user_id", 9, "this '%(' is never closed"),
        ("user_id:%(user_id)", 9, "'%(NAME)s' must be the whole value"),
        ("user_id:x-%(user_id)s", 9, "'%(NAME)s' must be the whole value"),
        ("user_id:%()s", 9, "'%(NAME)s' must be the whole value"),
        ("%(user_id)s:user_id", 1, "'%(NAME)s' stands on the right of the colon"),
        ("'open:%(x)s", 1, "this quote is never closed"),
        ("http://example.org/%(x)s", 1, "checks that ask another server are not supported"),
        (
            "usr_id:%(user_id)s", 1,
            "'usr_id' is not known of a caller; known are role, rule, user_id, user_domain_id, project_id, domain_id, "
                + "system_scope, is_admin, and 'text' in quotes"
        )
    ]

    @Test("what is no expression is refused with its place", arguments: wrong.indices)
    func refuses(index: Int) {
        let (text, position, reason) = Self.wrong[index]
        #expect(throws: PolicySyntaxError(reason: reason, position: position)) { try PolicyParser.parse(text) }
    }

    @Test("size and depth have ends")
    func bounds() throws {
        let deep = String(repeating: "(", count: 49) + "@" + String(repeating: ")", count: 49)
        #expect(try PolicyParser.parse(deep) == .always)
        #expect(throws: PolicySyntaxError.self) { try PolicyParser.parse("((" + deep + "))") }
        #expect(throws: PolicySyntaxError.self) {
            try PolicyParser.parse(String(repeating: "not ", count: 60) + "@")
        }
        #expect(throws: PolicySyntaxError.self) {
            try PolicyParser.parse(String(repeating: "@ or ", count: 2_500) + "@")
        }
    }

    @Test("damaged text never stops the reader")
    func total() {
        var generator = SeededGenerator(seed: 3)
        let pieces = ["(", ")", "%(", ")s", "'", "\"", ":", "role:a", "and", "or", "not", " ", "@", "!", "é", "%", "\n"]
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
            guard let tree = try? PolicyParser.parse(text) else { continue }
            #expect((try? PolicyParser.parse(tree.description)) == tree, "\(text)")
        }
    }
}
