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

    /// Seals what a release before this one has stored open, and with the newest key what was sealed with an older one,
    /// which may have lain open. What no key opens stays.
    func sealSecrets() async throws {
        try await change { edit in
            for credential in edit.state.delegations.credentials.values {
                if let changed = try resealed(credential) { try edit.update(changed) }
            }
            for (domain, configuration) in edit.state.resources.configurations {
                let closed = configuration.hasOpenSecrets ? try sealed(configuration, of: domain) : configuration
                let changed = try closed.resealed { group, option, sealed in
                    let place = Self.place(domain, group, option)
                    guard credentialSealer.isOld(sealed), let plain = credentialSealer.open(sealed, for: place) else {
                        return nil
                    }
                    return try credentialSealer.seal(plain, for: place)
                }
                if changed != configuration { try edit.set(changed, of: domain) }
            }
        }
    }

    private func resealed(_ credential: StoredCredential) throws -> StoredCredential? {
        guard credentialSealer.isOld(credential.sealed),
            let plain = credentialSealer.open(credential.sealed, for: credential.key)
        else { return nil }
        var changed = credential
        changed.sealed = try credentialSealer.seal(plain, for: credential.key)
        return changed
    }
}
