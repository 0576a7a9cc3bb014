import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("identity: limits and domain configurations")
struct IdentityLimitTests {
    private static func registered(_ service: String, _ name: String, _ limit: JSON, region: JSON? = nil) -> JSON {
        var members: [String: JSON] = [
            "service_id": .string(service), "resource_name": .string(name), "default_limit": limit
        ]
        members["region_id"] = region
        return ["registered_limits": .array([.object(members)])]
    }

    private static func limit(_ service: String, _ name: String, _ limit: JSON, _ owner: [String: JSON]) -> JSON {
        let members: [String: JSON] = [
            "service_id": .string(service), "resource_name": .string(name), "resource_limit": limit
        ]
        return ["limits": .array([.object(members.merging(owner) { $1 })])]
    }

    private static func service(_ session: IdentitySession) -> String {
        session.cloud.identity.directory.state.services.values.first { $0.type == "compute" }?.key ?? ""
    }

    @Test("registered limits are made by lists, and once each")
    func registered() async throws {
        let session = try await IdentitySession.admin()
        let service = Self.service(session)
        let made = await session.send(.post, "registered_limits", Self.registered(service, "cores", 10))
        #expect(made.status == 201)
        let first = try #require(made.json["registered_limits"]?.arrayValue?.first)
        let id = try #require(first["id"]?.stringValue)
        #expect(first["region_id"] == .null && first["description"] == .null && first["default_limit"] == 10)
        #expect(await session.send(.post, "registered_limits", Self.registered(service, "cores", 5)).status == 409)
        #expect(
            await session.send(
                .post, "registered_limits", Self.registered(service, "cores", 5, region: "RegionOne")
            ).status == 201)
        #expect(await session.list("registered_limits", "registered_limits?resource_name=cores", "id").count == 2)
        #expect(await session.list("registered_limits", "registered_limits?region_id=RegionOne", "id").count == 1)
        let changed = await session.send(
            .patch, "registered_limits/\(id)", ["registered_limit": ["default_limit": -1, "description": "any"]])
        #expect(changed.json["registered_limit"]?["default_limit"] == -1)
        for limit in [-2, "10", nil, 2_147_483_648] as [JSON] {
            let answer = await session.send(.post, "registered_limits", Self.registered(service, "ram", limit))
            #expect(answer.status == 400, "\(limit.text)")
        }
        #expect(
            await session.refusal(.post, "registered_limits", Self.registered("none", "ram", 1)).hasPrefix(
                "400 Expecting to find service_id in registered_limit."))
        #expect(await session.send(.post, "registered_limits", ["registered_limits": []]).status == 400)
        let named: JSON = ["service_id": .string(service), "resource_name": "ram", "default_limit": 1, "id": "mine"]
        #expect(await session.send(.post, "registered_limits", ["registered_limits": [named]]).status == 400)
        #expect(
            await session.refusal(.get, "registered_limits/none") == "404 Could not find registered limit for none.")
        #expect(await session.send(.delete, "registered_limits/\(id)").status == 204)
    }

    @Test("a limit overrides a registered one, and ends with its project")
    func limits() async throws {
        let session = try await IdentitySession.admin()
        let service = Self.service(session)
        let project = await session.make("project", ["name": "small"])
        let own: [String: JSON] = ["project_id": .string(project)]
        #expect(
            await session.refusal(.post, "limits", Self.limit(service, "cores", 2, own))
                == "403 Unable to create a limit that has no corresponding registered limit.")
        let base = await session.send(.post, "registered_limits", Self.registered(service, "cores", 10))
        let registered = base.json["registered_limits"]?.arrayValue?.first?["id"]?.stringValue ?? ""
        let made = await session.send(.post, "limits", Self.limit(service, "cores", 2, own))
        #expect(made.status == 201, "\(made.json.text)")
        let limit = try #require(made.json["limits"]?.arrayValue?.first)
        #expect(limit["project_id"] == .string(project) && limit["domain_id"] == .null)
        #expect(limit["resource_name"] == "cores" && limit["service_id"] == .string(service))
        #expect(await session.send(.post, "limits", Self.limit(service, "cores", 3, own)).status == 409)
        #expect(
            await session.send(.post, "limits", Self.limit(service, "cores", 3, ["domain_id": "default"])).status == 201
        )
        #expect(await session.send(.post, "limits", Self.limit(service, "cores", 3, [:])).status == 400)
        let id = limit["id"]?.stringValue ?? ""
        #expect(
            await session.send(.patch, "limits/\(id)", ["limit": ["resource_limit": 7]]).json["limit"]?[
                "resource_limit"]
                == 7)
        #expect(await session.send(.patch, "limits/\(id)", ["limit": ["service_id": "x"]]).status == 400)
        #expect(await session.refusal(.delete, "registered_limits/\(registered)").hasPrefix("403 Unable to update or"))
        #expect(await session.list("limits", "limits?project_id=\(project)", "id") == [id])
        let demo = IdentitySession(cloud: session.cloud, token: await session.cloud.demoToken())
        #expect(await demo.list("limits", "limits", "id").isEmpty)
        #expect(await demo.send(.get, "limits/\(id)").status == 403)
        #expect(await demo.send(.get, "limits/model").json["model"]?["name"] == "flat")
        #expect(await session.send(.delete, "projects/\(project)").status == 204)
        #expect(await session.refusal(.get, "limits/\(id)") == "404 Could not find limit for \(id).")
        let rows = try await session.cloud.harness.database.read {
            try $0.count("SELECT COUNT(*) FROM identity_limits")
        }
        #expect(rows == 1)
    }

    @Test("a domain's configuration, whole, by group and by option")
    func configuration() async throws {
        let session = try await IdentitySession.admin()
        let domain = await session.make("domain", ["name": "branch"])
        let path = "domains/\(domain)/config"
        let config: JSON = [
            "identity": ["driver": "ldap"], "ldap": ["url": "ldap://x", "user_tree_dn": "ou=Users", "password": "p"]
        ]
        let shown: JSON = ["identity": ["driver": "ldap"], "ldap": ["url": "ldap://x", "user_tree_dn": "ou=Users"]]
        let made = await session.send(.put, path, ["config": config])
        #expect(made.status == 201 && made.json["config"] == shown)
        #expect(await session.send(.put, path, ["config": config]).status == 200)
        #expect(await session.send(.get, "\(path)/ldap").json["config"] == ["ldap": shown["ldap"] ?? .null])
        #expect(await session.send(.get, "\(path)/ldap/url").json["config"] == ["url": "ldap://x"])
        #expect(await session.send(.get, "\(path)/ldap/password").status == 404)
        let group = await session.send(
            .patch, "\(path)/identity", ["config": ["identity": ["driver": "x", "list_limit": 7]]])
        #expect(group.json["config"]?["identity"] == ["driver": "x", "list_limit": 7])
        let option = await session.send(.patch, "\(path)/identity/driver", ["config": ["driver": "y"]])
        #expect(option.json["config"]?["identity"]?["driver"] == "y")
        #expect(
            await session.refusal(.patch, "\(path)/ldap/suffix", ["config": ["suffix": "y"]])
                == """
                404 Could not find option suffix in group ldap in domain configuration for domain \(domain).
                """)
        #expect(
            await session.refusal(.put, path, ["config": ["nova": ["x": 1]]])
                == """
                403 Invalid domain specific configuration: Group nova is not supported for domain specific \
                configurations.
                """)
        #expect(await session.send(.put, path, ["config": ["ldap": ["nope": 1]]]).status == 403)
        #expect(await session.send(.put, path, ["config": [:]]).status == 403)
        #expect(await session.send(.put, path, ["config": 5]).status == 400)
        #expect(await session.send(.delete, "\(path)/identity/driver").status == 204)
        #expect(await session.send(.get, "\(path)/identity/driver").status == 404)
        #expect(await session.send(.delete, "\(path)/identity").status == 204)
        #expect(await session.send(.get, "\(path)/identity").status == 404)
        #expect(await session.send(.delete, path).status == 204)
        #expect(
            await session.refusal(.get, path)
                == "404 Could not find any options in domain configuration for domain \(domain).")
    }

    @Test("the defaults of domain configurations, and the rules for passwords")
    func defaults() async throws {
        let session = try await IdentitySession.admin()
        let all = await session.send(.get, "domains/config/default").json["config"]
        #expect(all?["identity"]?["driver"] == "sql" && all?["ldap"]?["url"] == "ldap://localhost")
        #expect(
            await session.send(.get, "domains/config/identity/default").json["config"]
                == ["identity": ["driver": "sql", "list_limit": nil]])
        for option in all?["ldap"]?.objectValue?.keys ?? [:].keys {
            let answer = await session.send(.get, "domains/config/ldap/\(option)/default")
            #expect(answer.json["config"]?[option] != nil, "\(option)")
        }
        #expect(await session.send(.get, "domains/config/ldap/password/default").status == 403)
        let demo = IdentitySession(cloud: session.cloud, token: await session.cloud.demoToken())
        let rules = await demo.send(.get, "domains/default/config/security_compliance")
        #expect(rules.status == 200 && rules.json["config"]?["security_compliance"]?["password_regex"] == .null)
        #expect(await demo.send(.get, "domains/default/config/security_compliance/password_regex").status == 200)
        #expect(await demo.send(.get, "domains/default/config/security_compliance/lockout_duration").status == 403)
        #expect(await demo.send(.get, "domains/default/config").status == 403)
    }
}
