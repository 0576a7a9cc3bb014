import ProtocolModel

/// Who may do what: rule name to predicate, in the personas of the services' secure defaults. Pure.
public struct Policy: Sendable {
    /// What a rule is asked about.
    public struct Target: Sendable, Hashable {
        /// The project that owns the resource, where one does.
        public var project: ProjectID?
        /// The domain that owns the resource, where one does.
        public var domain: String?
        /// The user whose resource it is, where it is one's own (a keypair, a password).
        public var user: UserID?

        public init(project: ProjectID? = nil, domain: String? = nil, user: UserID? = nil) {
            self.project = project
            self.domain = domain
            self.user = user
        }
    }

    public struct Rule: Sendable {
        public var allows: @Sendable (Caller, Target) -> Bool

        public init(_ allows: @escaping @Sendable (Caller, Target) -> Bool) { self.allows = allows }

        /// The cloud's administrator.
        public static let admin = Rule { caller, _ in caller.isAdmin }
        /// Whoever is logged in.
        public static let anybody = Rule { _, _ in true }
        /// The administrator, or the role in the project that owns the resource. Without an owner: in any project.
        public static func project(_ role: String) -> Rule {
            Rule { caller, target in
                if caller.isAdmin { return true }
                guard caller.roles.contains(role), let project = caller.project else { return false }
                return target.project == nil || target.project == project
            }
        }
        public static let projectReader = project("reader")
        public static let projectMember = project("member")
        public static let projectManager = project("manager")
        /// The administrator, or the role in the domain that owns the resource.
        public static func domain(_ role: String) -> Rule {
            Rule { caller, target in
                if caller.isAdmin { return true }
                guard caller.roles.contains(role), case .domain(let domain) = caller.scope else { return false }
                return target.domain == domain
            }
        }
        /// The administrator, or the user whose resource it is.
        public static let owner = Rule { caller, target in caller.isAdmin || target.user == caller.user }
        /// The administrator, or a reader in system scope.
        public static let systemReader = Rule { caller, _ in
            caller.isAdmin || (caller.scope == .system && caller.roles.contains("reader"))
        }

        public static func || (left: Rule, right: Rule) -> Rule {
            Rule { left.allows($0, $1) || right.allows($0, $1) }
        }
    }

    public var rules: [String: Rule]

    public init(rules: [String: Rule]) { self.rules = rules }

    /// An unknown rule allows administrators only: a typing error must not open a door.
    public func allows(_ rule: String, _ caller: Caller, _ target: Target = Target()) -> Bool {
        (rules[rule] ?? .admin).allows(caller, target)
    }
}

extension APICall {
    /// - Throws: ``APIError`` 403 in the service's words, 401 where nobody is logged in.
    public func authorize(_ rule: String, project: ProjectID? = nil, domain: String? = nil, user: UserID? = nil) throws
    {
        let caller = try requireCaller()
        guard policy.allows(rule, caller, Policy.Target(project: project, domain: domain, user: user)) else {
            throw words.forbidden(rule)
        }
    }

    /// Whether the caller may, for answers that show more to some.
    public func isAllowed(_ rule: String, project: ProjectID? = nil, domain: String? = nil, user: UserID? = nil) -> Bool
    {
        guard let caller else { return false }
        return policy.allows(rule, caller, Policy.Target(project: project, domain: domain, user: user))
    }
}
