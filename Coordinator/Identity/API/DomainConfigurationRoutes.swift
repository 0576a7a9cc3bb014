import CoordinatorPlatform
import ProtocolModel

/// `/v3/domains/{key}/config[/{group}[/{option}]]`, and what counts where a domain says nothing.
struct DomainConfigurationRoutes: Sendable {
    let identity: IdentityService

    private static let place = "/v3/domains/{key}/config"
    private static let paths = [place, "\(place)/{group}", "\(place)/{group}/{option}"]
    private static let defaults = [
        "/v3/domains/config/default", "/v3/domains/config/{group}/default",
        "/v3/domains/config/{group}/{option}/default"
    ]

    var all: [Route] {
        Self.paths.flatMap { path in
            [
                Route(.get, path, handler: show).asking(
                    "identity:get_domain_config", "identity:get_security_compliance_domain_config"),
                Route(.patch, path, action: "identity.domain_config.update", handler: update).asking(
                    "identity:update_domain_config"),
                Route(.delete, path, action: "identity.domain_config.delete", handler: delete).asking(
                    "identity:delete_domain_config")
            ]
        } + [
            Route(.put, Self.place, action: "identity.domain_config.create", handler: create).asking(
                "identity:create_domain_config")
        ]
            + Self.defaults.map { Route(.get, $0, handler: showDefault).asking("identity:get_domain_config_default") }
    }

    private func domain(_ call: APICall, _ state: IdentityState? = nil) throws(APIError) -> String {
        let key = call.parameter("key")
        guard (state ?? identity.directory.state).domains[key] != nil else { throw IdentityAPI.notFound("domain", key) }
        return key
    }

    private func configuration(_ domain: String) -> DomainConfiguration {
        identity.directory.state.resources.configurations[domain] ?? DomainConfiguration()
    }

    private static func group(_ call: APICall) -> String? { call.parameters["group"] }
    private static func option(_ call: APICall) -> String? { call.parameters["option"] }

    /// Turns what the configuration refuses into the API's words.
    private static func saying<T>(
        of domain: String, _ body: () throws(DomainConfiguration.Refusal) -> T
    ) throws(APIError) -> T {
        do { return try body() } catch {
            switch error {
            case .notSupported(let reason):
                throw .forbidden("Invalid domain specific configuration: \(reason).")
            case .notFound(let what):
                throw .notFound("Could not find \(what) in domain configuration for domain \(domain).")
            }
        }
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let (group, option) = (Self.group(call), Self.option(call))
        if group == "security_compliance" { return try compliance(call, option) }
        try call.authorize("identity:get_domain_config")
        let domain = try domain(call)
        let shown = try Self.saying(of: domain) { () throws(DomainConfiguration.Refusal) in
            try DomainConfiguration.check(group: group, option: option)
            return try configuration(domain).shown(group: group, option: option)
        }
        return .json(["config": .object(shown)])
    }

    /// The rules for passwords, which everybody may read, for the default domain as in Keystone.
    private func compliance(_ call: APICall, _ option: String?) throws -> APIResponse {
        try call.authorize("identity:get_security_compliance_domain_config")
        let domain = try domain(call)
        guard domain == Domain.defaultKey else {
            throw APIError.forbidden(
                """
                Invalid domain specific configuration: Reading security compliance information for any domain other \
                than the default domain is not allowed or supported..
                """)
        }
        let readable = passwordRules
        guard let option else { return .json(["config": ["security_compliance": .object(readable)]]) }
        guard let value = readable[option] else {
            throw APIError.forbidden(
                """
                Invalid domain specific configuration: Reading security compliance values other than password_regex \
                and password_regex_description is not allowed..
                """)
        }
        return .json(["config": .object([option: value])])
    }

    private var passwordRules: [String: JSON] {
        let rules = identity.settings.security
        return [
            "password_regex": JSON(rules.passwordPattern),
            "password_regex_description": JSON(rules.passwordPatternDescription)
        ]
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:create_domain_config")
        let domain = try domain(call)
        let members = try await Self.body(call)
        let new = try Self.saying(of: domain) { () throws(DomainConfiguration.Refusal) in
            try DomainConfiguration.read(members)
        }
        let isNew = try await change(domain, call) { (configuration) throws(DomainConfiguration.Refusal) in
            configuration = new
        }
        return try answer(domain, status: isNew ? 201 : 200)
    }

    private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:update_domain_config")
        let domain = try domain(call)
        let (group, option) = (Self.group(call), Self.option(call))
        var members = try await Self.body(call)
        // An option is sent without its group around it.
        if let group, option != nil { members = [group: .object(members)] }
        let change = try Self.saying(of: domain) { () throws(DomainConfiguration.Refusal) in
            try DomainConfiguration.check(group: group, option: option)
            return try DomainConfiguration.read(members)
        }
        try await self.change(domain, call) { (configuration) throws(DomainConfiguration.Refusal) in
            try configuration.merge(change, group: group, option: option)
        }
        return try answer(domain, status: 200)
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:delete_domain_config")
        let domain = try domain(call)
        let (group, option) = (Self.group(call), Self.option(call))
        try Self.saying(of: domain) { () throws(DomainConfiguration.Refusal) in
            try DomainConfiguration.check(group: group, option: option)
        }
        try await change(domain, call) { (configuration) throws(DomainConfiguration.Refusal) in
            try configuration.remove(group: group, option: option)
        }
        return .empty(204)
    }

    private func showDefault(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:get_domain_config_default")
        let shown = try Self.saying(of: Domain.defaultKey) { () throws(DomainConfiguration.Refusal) in
            try DomainConfiguration.shownDefault(group: Self.group(call), option: Self.option(call))
        }
        return .json(["config": .object(shown)])
    }

    private static let schema = BodySchema<[String: JSON]>(
        blank: [:], unknown: .ignored, [.given("config", \.self, .members)])

    private static func body(_ call: APICall) async throws -> [String: JSON] {
        try schema.read(try await call.json(), wording: Keystone.body)
    }

    private func answer(_ domain: String, status: Int) throws -> APIResponse {
        // What was set may be all sensitive: nothing of it is shown then.
        let shown = (try? configuration(domain).shown(group: nil, option: nil)) ?? [:]
        return .json(["config": .object(shown)], status: status)
    }

    /// Changes what the rows say at that moment, so that of two changes at once none is lost.
    /// - Returns: Whether nothing was set before.
    @discardableResult
    private func change(
        _ domain: String, _ call: APICall,
        _ revise: @escaping @Sendable (inout DomainConfiguration) throws(DomainConfiguration.Refusal) -> Void
    ) async throws -> Bool {
        try await call.change(identity, target: { _ in domain }) { edit in
            let old = edit.state.resources.configurations[try self.domain(call, edit.state)] ?? DomainConfiguration()
            var changed = old
            try Self.saying(of: domain) { () throws(DomainConfiguration.Refusal) in try revise(&changed) }
            try edit.set(try identity.sealed(changed, of: domain), of: domain)
            return old.isEmpty
        }
    }
}
