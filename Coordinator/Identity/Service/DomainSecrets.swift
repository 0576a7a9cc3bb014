import CoordinatorPlatform

/// Keeps the sensitive options of domains (passwords of directories) as unreadable as users' credentials.
extension IdentityService {
    /// The configuration as it is stored. Each secret is bound to its place, so that it cannot be moved to a domain
    /// whose administrator would learn it.
    func sealed(_ configuration: DomainConfiguration, of domain: String) throws -> DomainConfiguration {
        try configuration.sealed { group, option, value in
            try credentialSealer.seal(JSON.array([value]).text, for: "domain \(domain) \(group)/\(option)")
        }
    }

    /// Seals what a release before this one has stored open.
    func sealOpenSecrets() async throws {
        let open = directory.state.resources.configurations.filter(\.value.hasOpenSecrets)
        guard !open.isEmpty else { return }
        var sealed: [String: DomainConfiguration] = [:]
        for (domain, configuration) in open { sealed[domain] = try self.sealed(configuration, of: domain) }
        let stored = sealed
        try await database.write { transaction in
            for (domain, configuration) in stored {
                try ResourceStore.set(configuration, of: domain, in: transaction)
            }
            transaction.afterCommit {
                directory.apply { state in
                    state.changeResources { $0.configurations.merge(stored) { $1 } }
                }
            }
        }
    }
}
