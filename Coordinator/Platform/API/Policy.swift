import ProtocolModel

/// Who may do what: rule names and what each says, in the personas of the services' secure defaults. Pure; made once
/// and asked at every request.
public struct Policy: Sendable {
    /// What a rule is asked about.
    public struct Target: Sendable, Hashable {
        /// The project that owns the resource, where one does.
        public var project: ProjectID?
        /// The domain that owns the resource, where one does.
        public var domain: String?
        /// The user whose resource it is, where it is one's own (a keypair, a password).
        public var user: UserID?
        /// Whatever else rules may ask, by its name in `%(name)s`. Written as oslo.policy compares it: `True` and
        /// `False`, `None` for what is known to be nothing, identifiers as the API shows them.
        public var attributes: [String: String]

        public init(
            project: ProjectID? = nil, domain: String? = nil, user: UserID? = nil, attributes: [String: String] = [:]
        ) {
            self.project = project
            self.domain = domain
            self.user = user
            self.attributes = attributes
        }
    }

    /// A rule that others call: not one that a route asks, but where operators change many at once.
    public static let baseRules: [String: Rule] = [
        "admin_required": "role:admin",
        "owner": "user_id:%(user_id)s",
        "project_reader": "role:reader and project_id:%(project_id)s",
        "project_member": "role:member and project_id:%(project_id)s",
        "project_manager": "role:manager and project_id:%(project_id)s",
        "domain_reader": "role:reader and domain_id:%(target.domain.id)s",
        "domain_member": "role:member and domain_id:%(target.domain.id)s",
        "domain_manager": "role:manager and domain_id:%(target.domain.id)s",
        "system_reader": "role:reader and system_scope:all",
        "system_member": "role:member and system_scope:all",
        "system_manager": "role:manager and system_scope:all"
    ]

    /// The rules as they were given, without ``baseRules``.
    public let rules: [String: Rule]
    /// Names that resources carry in ``Target/attributes`` beside those that the rules themselves mention.
    public let attributes: Set<String>
    private let compiled: [String: PolicyExpression]
    /// Asked for names that there are not.
    private let fallback: PolicyExpression

    public init(rules: [String: Rule], attributes: Set<String> = []) {
        self.rules = rules
        self.attributes = attributes
        let all = Self.baseRules.merging(rules) { _, own in own }
        // A slip in a default closes the door it stands at; the tests find it.
        compiled = PolicyCompiler.compile(all.mapValues(\.expression)).trees
        fallback = compiled["admin_required"] ?? .never
    }

    /// An unknown rule allows administrators only: a typing error must not open a door.
    public func allows(_ rule: String, _ caller: Caller, _ target: Target = Target()) -> Bool {
        (compiled[rule] ?? fallback).allows(caller, target)
    }

    /// What is wrong with the rules, for tests of the slices' defaults; empty when nothing is.
    public var problems: [String] {
        let all = Self.baseRules.merging(rules) { _, own in own }
        let syntax = all.sorted { $0.key < $1.key }.compactMap { name, rule in
            rule.problem.map { "\(name): \($0)" }
        }
        return syntax + PolicyCompiler.compile(all.mapValues(\.expression)).problems.map { "\($0.rule): \($0.reason)" }
    }
}

extension Policy {
    /// What a rule says: written in oslo.policy's syntax as a string literal, or put together from the personas.
    public struct Rule: Sendable, Hashable {
        public var expression: PolicyExpression
        /// Why the literal could not be read; such a rule allows nobody anything.
        let problem: String?

        public init(_ expression: PolicyExpression) {
            self.expression = expression
            problem = nil
        }

        /// The cloud's administrator.
        public static let admin: Rule = "rule:admin_required"
        /// Whoever is logged in.
        public static let anybody: Rule = "@"
        /// Nobody, until an operator says otherwise.
        public static let nobody: Rule = "!"
        /// Whoever has the role, in whatever scope.
        public static func role(_ name: String) -> Rule { Rule(.role(name.lowercased())) }
        /// The administrator, or the role in the project that owns the resource. Without an owner: in any project.
        public static func project(_ role: String) -> Rule { .admin || persona(role, of: "project") }
        public static let projectReader = project("reader")
        public static let projectMember = project("member")
        public static let projectManager = project("manager")
        /// The administrator, or the role in the domain that owns the resource.
        public static func domain(_ role: String) -> Rule { .admin || persona(role, of: "domain") }
        /// The administrator, or the user whose resource it is.
        public static let owner: Rule = "rule:admin_required or rule:owner"
        /// The administrator, or a reader in system scope.
        public static let systemReader: Rule = "rule:admin_required or rule:system_reader"

        private static func persona(_ role: String, of scope: String) -> Rule {
            if Policy.baseRules["\(scope)_\(role)"] != nil { return Rule(.rule("\(scope)_\(role)")) }
            let fence: PolicyExpression =
                scope == "project"
                ? .compare(.caller(.project), .target(.ownProject)) : .compare(.caller(.domain), .target(.domain))
            return Rule(.all([.role(role.lowercased()), fence]))
        }

        /// Either of them; what both sides say is said once.
        public static func || (left: Rule, right: Rule) -> Rule {
            var parts: [PolicyExpression] = []
            for part in left.alternatives + right.alternatives where !parts.contains(part) { parts.append(part) }
            return Rule(parts.count == 1 ? parts[0] : .any(parts))
        }

        public static func && (left: Rule, right: Rule) -> Rule { Rule(.all([left.expression, right.expression])) }

        private var alternatives: [PolicyExpression] {
            if case .any(let parts) = expression { parts } else { [expression] }
        }
    }
}

extension Policy.Rule: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) {
        do {
            expression = try PolicyParser.parse(text)
            problem = nil
        } catch {
            expression = .never
            problem = "\(error)"
        }
    }
}

extension APICall {
    /// - Throws: ``APIError`` 403 in the service's words, 401 where nobody is logged in.
    public func authorize(
        _ rule: String, project: ProjectID? = nil, domain: String? = nil, user: UserID? = nil,
        attributes: [String: String] = [:]
    ) throws {
        try authorize(rule, Policy.Target(project: project, domain: domain, user: user, attributes: attributes))
    }

    /// - Throws: ``APIError`` 403 in the service's words, 401 where nobody is logged in.
    public func authorize(_ rule: String, _ target: Policy.Target) throws {
        try permissions().require(rule, target)
    }

    /// Whether the caller may, for answers that show more to some.
    public func isAllowed(
        _ rule: String, project: ProjectID? = nil, domain: String? = nil, user: UserID? = nil,
        attributes: [String: String] = [:]
    ) -> Bool {
        isAllowed(rule, Policy.Target(project: project, domain: domain, user: user, attributes: attributes))
    }

    /// Whether the caller may, for answers that show more to some.
    public func isAllowed(_ rule: String, _ target: Policy.Target) -> Bool {
        guard let caller else { return false }
        return Permissions(caller: caller, policy: policy, words: words, trace: trace).allow(rule, target)
    }

    /// The same for services, which see no requests.
    /// - Throws: ``APIError`` 401 where nobody is logged in.
    public func permissions() throws -> Permissions {
        Permissions(caller: try requireCaller(), policy: policy, words: words, trace: trace)
    }
}

/// Who asks, and what the rules say to that.
public struct Permissions: Sendable {
    public let caller: Caller
    fileprivate let policy: Policy
    fileprivate let words: ErrorWords
    fileprivate let trace: PolicyTrace?

    package init(caller: Caller, policy: Policy, words: ErrorWords = .generic, trace: PolicyTrace? = nil) {
        self.caller = caller
        self.policy = policy
        self.words = words
        self.trace = trace
    }

    /// - Throws: ``APIError`` 403 in the service's words.
    public func require(_ rule: String, _ target: Policy.Target = Policy.Target()) throws {
        guard !allow(rule, target) else { return }
        var refusal = words.forbidden(rule)
        refusal.rule = rule
        throw refusal
    }

    public func allow(_ rule: String, _ target: Policy.Target = Policy.Target()) -> Bool {
        trace?.note(rule)
        return policy.allows(rule, caller, target)
    }
}
