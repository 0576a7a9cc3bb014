import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("policy")
struct PolicyRuleTests {
    static let project = ProjectID(high: 1, low: 1)
    static let other = ProjectID(high: 2, low: 2)
    static let user = UserID(high: 3, low: 3)

    static func caller(_ roles: Set<String>, _ scope: Caller.Scope = .project(project)) -> Caller {
        Caller(user: user, userName: "u", userDomain: "home", scope: scope, projectName: "p", roles: roles)
    }

    /// Rule, roles, scope, target, verdict.
    static let cases: [(Policy.Rule, Set<String>, Caller.Scope, Policy.Target, Bool)] = [
        (.admin, ["admin"], .system, .init(), true),
        (.admin, ["member"], .project(project), .init(project: project), false),
        (.anybody, [], .unscoped, .init(), true),
        (.nobody, ["admin"], .system, .init(), false),
        (.projectReader, ["reader"], .project(project), .init(project: project), true),
        (.projectReader, ["reader"], .project(project), .init(project: other), false),
        (.projectReader, ["reader"], .project(project), .init(), true),
        (.projectReader, ["reader"], .unscoped, .init(), false),
        (.projectReader, ["READER"], .project(project), .init(project: project), true),
        (.projectMember, ["reader"], .project(project), .init(project: project), false),
        (.projectMember, ["admin"], .project(project), .init(project: other), true),
        (.project("auditor"), ["auditor"], .project(project), .init(project: project), true),
        (.domain("manager"), ["manager"], .domain("d"), .init(domain: "d"), true),
        (.domain("manager"), ["manager"], .domain("d"), .init(domain: "e"), false),
        (.domain("manager"), ["manager"], .domain("d"), .init(), false),
        (.domain("manager"), ["manager"], .project(project), .init(domain: "d"), false),
        (.owner, [], .unscoped, .init(user: user), true),
        (.owner, [], .unscoped, .init(user: UserID(high: 9, low: 9)), false),
        (.owner, [], .unscoped, .init(), false),
        (.systemReader, ["reader"], .system, .init(), true),
        (.systemReader, ["reader"], .project(project), .init(), false),
        (.projectReader || .systemReader, ["reader"], .system, .init(project: other), true),
        (
            .projectMember && "'private':%(visibility)s", ["member"], .project(project),
            .init(attributes: ["visibility": "private"]), true
        ),
        (
            .projectMember && "'private':%(visibility)s", ["member"], .project(project),
            .init(attributes: ["visibility": "public"]), false
        ),
        (.projectMember && "'private':%(visibility)s", ["member"], .project(project), .init(), false),
        ("project_id:%(target.project.id)s", [], .project(project), .init(project: project), true),
        ("project_id:%(target.project.id)s", [], .project(project), .init(), false),
        ("user_domain_id:%(target.domain.id)s", [], .unscoped, .init(domain: "home"), true),
        ("None:%(owner)s", [], .unscoped, .init(attributes: ["owner": "None"]), true),
        ("not None:%(owner)s", [], .unscoped, .init(attributes: ["owner": "me"]), true),
        ("is_admin:False", ["member"], .unscoped, .init(), true),
        ("project_id:00000000000000010000000000000001", [], .project(project), .init(), true),
        (
            "project_id:%(owner)s", [], .project(project),
            .init(attributes: ["owner": "00000000000000010000000000000001"]), true
        ),
        ("user_id:00000000-0000-0003-0000-000000000003", [], .unscoped, .init(), true),
        ("role:a and role:b or role:c", ["c"], .unscoped, .init(), true),
        ("role:a and (role:b or role:c)", ["c"], .unscoped, .init(), false),
        ("not role:a and role:b", ["b"], .unscoped, .init(), true)
    ]

    @Test("verdicts", arguments: cases.indices)
    func verdict(index: Int) {
        let (rule, roles, scope, target, expected) = Self.cases[index]
        let policy = Policy(rules: ["x": rule])
        #expect(policy.problems == [])
        #expect(policy.allows("x", Self.caller(roles, scope), target) == expected, "\(rule.expression)")
    }

    @Test("what both sides say is printed once")
    func union() {
        let rule: Policy.Rule = .systemReader || .domain("reader") || .owner
        #expect(
            rule.expression.description
                == "rule:admin_required or rule:system_reader or rule:domain_reader or rule:owner")
    }

    @Test("unknown names are for administrators")
    func unknown() {
        let policy = Policy(rules: [:])
        #expect(policy.allows("no:such", Self.caller(["admin"])))
        #expect(!policy.allows("no:such", Self.caller(["member", "manager"])))
    }

    @Test("a slip in a default closes the door and is told")
    func slips() {
        let policy = Policy(rules: ["a": "role:member or", "b": "rule:c", "d": "rule:e", "e": "rule:d"])
        #expect(!policy.allows("a", Self.caller(["member"])))
        #expect(!policy.allows("b", Self.caller(["member"])))
        #expect(!policy.allows("d", Self.caller(["member"])))
        #expect(
            policy.problems == [
                "a: at character 15: a check is missing at the end", "b: it calls rule:c, which there is not",
                "e: it calls itself: d -> e -> d"
            ])
    }

    @Test("rules that call each other twice over are stopped")
    func growth() {
        var rules: [String: Policy.Rule] = ["r0": "role:x"]
        for number in 1...30 {
            rules["r\(number)"] = Policy.Rule(stringLiteral: "rule:r\(number - 1) or rule:r\(number - 1)")
        }
        #expect(!Policy(rules: rules).problems.isEmpty)
    }
}

@Suite("the operator's policy")
struct PolicyBookTests {
    static let book = [
        Policy(rules: ["get_thing": .projectReader, "delete_thing": .projectMember], attributes: ["visibility"]),
        Policy(rules: ["compute:start": .projectMember])
    ]
    static let reader = PolicyRuleTests.caller(["reader"])

    @Test("one rule is replaced, the others stay")
    func override() throws {
        let book = PolicyBook(Self.book)
        #expect(!book.policy.allows("delete_thing", Self.reader))
        try book.apply([.init(name: "delete_thing", text: "role:reader", line: 1)], file: "/p.yaml", now: 7)
        #expect(book.policy.allows("delete_thing", Self.reader))
        #expect(!book.policy.allows("compute:start", Self.reader))
        #expect(book.status == .init(file: "/p.yaml", since: 7, problems: [], refusals: 0))
        try book.apply([], file: nil, now: 8)
        #expect(!book.policy.allows("delete_thing", Self.reader))
    }

    @Test("a base rule changes all that call it")
    func base() throws {
        let book = PolicyBook(Self.book)
        try book.apply([.init(name: "project_member", text: "rule:project_reader", line: 1)], file: nil, now: 0)
        #expect(book.policy.allows("compute:start", Self.reader))
        try book.apply([.init(name: "admin_required", text: "role:boss", line: 1)], file: nil, now: 0)
        #expect(book.policy.allows("unknown", PolicyRuleTests.caller(["boss"])))
    }

    static let wrong: [([(String, String)], [String])] = [
        ([("get_thin", "@")], ["line 1: 'get_thin' is no rule; did you mean 'get_thing'."]),
        ([("quite_else", "@")], ["line 1: 'quite_else' is no rule: 'skerry policy list' shows the rules there are."]),
        (
            [("get_thing", "@"), ("get_thing", "!")],
            ["line 2: 'get_thing' stands on line 1 already."]
        ),
        (
            [("get_thing", "role:a or"), ("delete_thing", "user:")],
            [
                "line 1: 'get_thing', at character 10: a check is missing at the end.",
                "line 2: 'delete_thing', at character 6: a value is missing after 'user:'."
            ]
        ),
        ([("get_thing", "rule:nothing")], ["line 1: 'get_thing': it calls rule:nothing, which there is not."]),
        (
            [("compute:start", "@"), ("admin_required", "rule:get_thing")],
            ["line 2: 'get_thing': it calls itself: admin_required -> get_thing -> admin_required."]
        ),
        (
            [("get_thing", "'x':%(visibilty)s")],
            ["line 1: 'get_thing': nothing is known of a resource by '%(visibilty)s'."]
        )
    ]

    @Test("a wrong file is refused and the old rules stay", arguments: wrong.indices)
    func refused(index: Int) throws {
        let book = PolicyBook(Self.book)
        try book.apply([.init(name: "delete_thing", text: "role:reader", line: 1)], file: "old", now: 1)
        let (lines, problems) = Self.wrong[index]
        let overrides = lines.enumerated().map { PolicyOverride(name: $1.0, text: $1.1, line: $0 + 1) }
        #expect(throws: PolicyFileError(problems: problems)) {
            try book.apply(overrides, file: "new", now: 2)
        }
        #expect(book.policy.allows("delete_thing", Self.reader))
        #expect(book.status == .init(file: "old", since: 1, problems: problems, refusals: 1))
    }

    @Test("what was no text in the file is told with the other mistakes")
    func defects() {
        let book = PolicyBook(Self.book)
        let overrides = [
            PolicyOverride(name: "get_thing", text: "", line: 1, defect: "says nothing"),
            PolicyOverride(name: "delete_thing", text: "role", line: 2)
        ]
        #expect(
            throws: PolicyFileError(problems: [
                "line 1: 'get_thing' says nothing.",
                "line 2: 'delete_thing', at character 1: 'role' is no check: write KIND:VALUE as in role:reader, '@' or '!'."
            ])
        ) { try book.apply(overrides, file: nil, now: 0) }
    }

    @Test("services that define a rule differently are told")
    func conflicts() {
        let same = Policy(rules: ["get_thing": .projectReader])
        #expect(PolicyBook(Self.book + [same]).conflicts == [])
        #expect(PolicyBook(Self.book + [Policy(rules: ["get_thing": .admin])]).conflicts == ["get_thing"])
    }
}
