import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("identity: sensitive options of domains")
struct IdentityDomainSecretTests {
    /// All that the table of options has, as text.
    private static func rows(_ cloud: IdentityCloud) async throws -> [String] {
        try await cloud.harness.database.read { reader in
            try reader.query("SELECT option_name, value, sealed FROM identity_domain_options ORDER BY option_name") {
                let sealed = $0.isNull(2) ? "-" : String(decoding: $0.blob(2), as: UTF8.self)
                return "\($0.text(0)) \($0.text(1)) \(sealed)"
            }
        }
    }

    private static let config: JSON = ["ldap": ["url": "ldap://x", "password": "hunter2", "user": "cn=root"]]

    @Test("they are sealed at rest, shown to nobody, and there again after a restart")
    func sealed() async throws {
        let session = try await IdentitySession.admin()
        let cloud = session.cloud
        let path = "domains/default/config"
        let shown: JSON = ["ldap": ["url": "ldap://x", "user": "cn=root"]]
        #expect(await session.send(.put, path, ["config": Self.config]).json["config"] == shown)
        let rows = try await Self.rows(cloud)
        #expect(rows.count == 3 && rows[0].hasPrefix("password [] "))
        #expect(!rows.joined().contains("hunter2"))
        #expect(rows[1] == #"url ["ldap://x"] -"#)
        #expect(await session.send(.get, path).json["config"] == shown)
        #expect(await session.send(.get, "\(path)/ldap/password").status == 404)
        // Another password is another row, which is sealed as well.
        let change = await session.send(.patch, "\(path)/ldap/password", ["config": ["password": "hunter3"]])
        #expect(change.status == 200 && change.json["config"] == shown)
        let changed = try await Self.rows(cloud)
        #expect(changed.count == 3 && changed[0] != rows[0] && !changed.joined().contains("hunter"))
        let again = try await cloud.restarted().directory.state.resources.configurations
        #expect(again == cloud.identity.directory.state.resources.configurations)
        #expect(try await Self.rows(cloud) == changed)
    }

    @Test("the substitution of a secret into an option stays as it was written")
    func substitution() async throws {
        let session = try await IdentitySession.admin()
        let config: JSON = ["ldap": ["url": "ldap://u:%(password)s@x", "password": "hunter2"]]
        _ = await session.send(.put, "domains/default/config", ["config": config])
        #expect(
            await session.send(.get, "domains/default/config/ldap/url").json["config"]
                == ["url": "ldap://u:%(password)s@x"])
    }

    @Test("changes at once are all kept")
    func concurrent() async throws {
        let session = try await IdentitySession.admin()
        let options = ["url", "user", "suffix", "user_tree_dn", "user_filter", "group_tree_dn", "group_filter"]
        _ = await session.send(.put, "domains/default/config", ["config": ["identity": ["driver": "x"]]])
        for round in 0..<5 {
            await withTaskGroup(of: Void.self) { group in
                for option in options {
                    let change: JSON = ["config": ["ldap": .object([option: .string("\(option) \(round)")])]]
                    group.addTask {
                        let answer = await session.send(.patch, "domains/default/config", change)
                        #expect(answer.status == 200)
                    }
                }
            }
            let shown = await session.send(.get, "domains/default/config/ldap").json["config"]?["ldap"]
            for option in options { #expect(shown?[option] == .string("\(option) \(round)"), "round \(round)") }
        }
        let again = try await session.cloud.restarted().directory.state.resources.configurations
        #expect(again == session.cloud.identity.directory.state.resources.configurations)
    }

    @Test("what a release before this one has stored open is sealed at the next start")
    func old() async throws {
        let session = try await IdentitySession.admin()
        let cloud = session.cloud
        try await cloud.harness.database.write { transaction in
            for (name, value) in [("password", #"["hunter2"]"#), ("url", #"["ldap://x"]"#)] {
                try transaction.execute(
                    """
                    INSERT INTO identity_domain_options (domain_key, option_group, option_name, value)
                    VALUES ('default', 'ldap', ?, ?)
                    """, [name, value])
            }
        }
        let restarted = try await cloud.restarted()
        let rows = try await Self.rows(cloud)
        #expect(rows.count == 2 && !rows.joined().contains("hunter2") && rows[1] == #"url ["ldap://x"] -"#)
        let configuration = restarted.directory.state.resources.configurations["default"]
        #expect(configuration?.hasOpenSecrets == false && configuration?.groups["ldap"]?.count == 2)
        #expect(
            try await cloud.restarted().directory.state.resources.configurations["default"] == configuration,
            "once")
    }
}
