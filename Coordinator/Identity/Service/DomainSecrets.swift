import CoordinatorPlatform

/// Keeps the sensitive options of domains (passwords of directories) as unreadable as users' credentials.
extension IdentityService {
    /// The configuration as it is stored. Each secret is bound to its place, so that it cannot be moved to a domain
    /// whose administrator would learn it.
    func sealed(_ configuration: DomainConfiguration, of domain: String) throws -> DomainConfiguration {
        try configuration.sealed { group, option, value in
            try credentialSealer.seal(JSON.array([value]).text, for: Self.place(domain, group, option))
        }
    }

    private static func place(_ domain: String, _ group: String, _ option: String) -> String {
        "domain \(domain) \(group)/\(option)"
    }

    /// Seals with the newest key what was sealed with an older one, which may have lain open. What no key opens stays.
    func resealOldSecrets() async throws {
        let state = directory.state
        let credentials = try state.delegations.credentials.values.compactMap(resealed)
        var configurations: [String: DomainConfiguration] = [:]
        for (domain, configuration) in state.resources.configurations {
            let changed = try configuration.resealed { group, option, sealed in
                let place = Self.place(domain, group, option)
                guard credentialSealer.isOld(sealed), let plain = credentialSealer.open(sealed, for: place) else {
                    return nil
                }
                return try credentialSealer.seal(plain, for: place)
            }
            if changed != configuration { configurations[domain] = changed }
        }
        guard !credentials.isEmpty || !configurations.isEmpty else { return }
        let stored = configurations
        try await database.write { transaction in
            for credential in credentials { try credential.update(after: credential.generation - 1, in: transaction) }
            for (domain, configuration) in stored {
                try ResourceStore.set(configuration, of: domain, in: transaction)
            }
            transaction.afterCommit {
                directory.apply { state in
                    state.changeDelegations { for credential in credentials { $0.put(credential) } }
                    state.changeResources { $0.configurations.merge(stored) { $1 } }
                }
            }
        }
    }

    private func resealed(_ credential: StoredCredential) throws -> StoredCredential? {
        guard credentialSealer.isOld(credential.sealed),
            let plain = credentialSealer.open(credential.sealed, for: credential.key)
        else { return nil }
        var changed = credential
        changed.sealed = try credentialSealer.seal(plain, for: credential.key)
        changed.generation += 1
        return changed
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
