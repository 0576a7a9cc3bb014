import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("identity: regions, endpoints, endpoint filters and policies")
struct IdentityCatalogTests {
    private static func endpoint(_ service: String, _ interface: String, _ url: String, _ more: [String: JSON] = [:])
        -> JSON
    {
        .object(
            ["service_id": .string(service), "interface": .string(interface), "url": .string(url)]
                .merging(more) { $1 })
    }

    @Test("an endpoint's older member makes its region; the newer one must exist")
    func regions() async throws {
        let session = try await IdentitySession.admin()
        let service = await session.make("service", ["type": "dns", "name": "designate"])
        let made = await session.send(
            .post, "endpoints", ["endpoint": Self.endpoint(service, "public", "http://x", ["region": "far"])])
        #expect(made.status == 201 && made.json["endpoint"]?["region_id"] == "far")
        #expect(await session.send(.get, "regions/far").status == 200)
        let id = made.json["endpoint"]?["id"]?.stringValue ?? ""
        #expect(await session.send(.patch, "endpoints/\(id)", ["endpoint": ["region": "near"]]).status == 200)
        #expect(await session.list("regions", "regions", "id") == ["RegionOne", "far", "near"])
        #expect(
            await session.refusal(
                .post, "endpoints", ["endpoint": Self.endpoint(service, "public", "http://x", ["region_id": "none"])])
                    == """
                    400 Expecting to find endpoint region_id in region table. The server could not comply with the request \
                    since it is either malformed or otherwise incorrect. The client is assumed to be in error.
                    """)
        #expect(await session.send(.delete, "regions/near").status == 403)
        #expect(await session.send(.delete, "regions/far").status == 204)
    }

    @Test("a change is not refused for what it leaves as it was")
    func unchanged() async throws {
        let session = try await IdentitySession.admin()
        let service = await session.make("service", ["type": "dns", "name": "designate"])
        let endpoint = await session.make("endpoint", Self.endpoint(service, "public", "http://x"))
        let group = await session.make(
            "endpoint_group", ["name": "g", "filters": ["interface": "public"]], at: "OS-EP-FILTER/endpoint_groups")
        let domain = await session.make("domain", ["name": "d"])
        // As releases and tools before this one may have left them.
        try await session.cloud.harness.database.write { transaction in
            try transaction.execute("UPDATE identity_endpoints SET url = 'http://x/$(bad)s'")
            try transaction.execute("UPDATE identity_endpoint_groups SET filters = '{}'")
            try transaction.execute("UPDATE identity_domains SET name = 'Federated' WHERE name = 'd'")
        }
        let restarted = IdentityCloud(try await session.cloud.restarted(), after: session.cloud)
        let old = IdentitySession(cloud: restarted, token: session.token)
        let filters = "OS-EP-FILTER/endpoint_groups/\(group)"
        #expect(await old.send(.patch, "endpoints/\(endpoint)", ["endpoint": ["name": "y"]]).status == 200)
        #expect(await old.send(.patch, filters, ["endpoint_group": ["name": "h"]]).status == 200)
        #expect(await old.send(.patch, "domains/\(domain)", ["domain": ["description": "y"]]).status == 200)
        let url = "http://x/$(worse)s"
        #expect(await old.send(.patch, "endpoints/\(endpoint)", ["endpoint": ["url": .string(url)]]).status == 400)
        #expect(await old.send(.patch, "domains/\(domain)", ["domain": ["name": "federated"]]).status == 400)
    }

    @Test("a filter that comes twice is two conditions")
    func repeated() async throws {
        let session = try await IdentitySession.admin()
        for name in ["a", "b"] { _ = await session.make("region", ["id": .string(name)]) }
        for name in ["web", "wide"] { _ = await session.make("project", ["name": .string(name)]) }
        #expect(await session.list("projects", "projects?name=web&name=wide", "name").isEmpty)
        #expect(
            await session.list("projects", "projects?name__startswith=w&name__startswith=we", "name") == ["web"])
        #expect(await session.list("projects", "projects?name=web&name=web", "name") == ["web"])
    }

    @Test("regions stand in regions without a ring, and go with what is in them")
    func regionTree() async throws {
        let session = try await IdentitySession.admin()
        for (id, parent) in [("a", nil), ("b", "a"), ("c", "b")] as [(String, String?)] {
            let body: JSON = ["region": ["id": .string(id), "parent_region_id": JSON(parent), "description": nil]]
            #expect(await session.send(.post, "regions", body).status == 201)
        }
        #expect(await session.list("regions", "regions?parent_region_id=a", "id") == ["b"])
        #expect(
            await session.refusal(.patch, "regions/a", ["region": ["parent_region_id": "c"]])
                == "400 The specified parent region c would create a circular region hierarchy.")
        #expect(await session.refusal(.post, "regions", ["region": ["id": "a"]]).hasPrefix("409 "))
        #expect(await session.refusal(.put, "regions/a", ["region": [:]]).hasPrefix("409 "))
        #expect(await session.send(.put, "regions/own", ["region": ["description": "d"]]).status == 201)
        #expect(await session.send(.get, "regions/own").json["region"]?["description"] == "d")
        #expect(
            await session.refusal(.put, "regions/x", ["region": ["id": "y"]])
                == #"400 Conflicting region IDs specified: "x" != "y""#)
        #expect(await session.send(.delete, "regions/own").status == 204)
        #expect(await session.send(.delete, "regions/a").status == 204)
        #expect(await session.list("regions", "regions", "id") == ["RegionOne"])
        let again = try await session.cloud.harness.database.read {
            try $0.count("SELECT COUNT(*) FROM identity_regions")
        }
        #expect(again == 1)
    }

    @Test(
        "an endpoint's address is checked",
        arguments: [
            ("x", 400), ("http:", 400), ("http://x/%(unknown)s", 400), ("http://x/%20", 400),
            ("http://x/$(tenant_id", 400),
            ("http://x/$(project_id)s/%(user_id)s", 201), ("http://x/100%%", 201)
        ])
    func addresses(url: String, status: Int) async throws {
        let session = try await IdentitySession.admin()
        let service = await session.make("service", ["type": "dns"])
        let answer = await session.send(.post, "endpoints", ["endpoint": Self.endpoint(service, "public", url)])
        #expect(answer.status == status, "\(answer.json.text)")
        #expect(
            await session.send(
                .post, "endpoints", ["endpoint": Self.endpoint(service, "public", "http://x", ["enabled": "False"])]
            ).status == 400)
        let long = "http://" + String(repeating: "x", count: 219)
        #expect(
            await session.send(.post, "endpoints", ["endpoint": Self.endpoint(service, "public", long)]).status == 400)
    }

    @Test("endpoint filters shape the catalog of a project's token")
    func filters() async throws {
        let session = try await IdentitySession.admin()
        let service = await session.make("service", ["type": "dns", "name": "designate"])
        let outer = await session.make("endpoint", Self.endpoint(service, "public", "http://out/$(project_id)s"))
        let inner = await session.make("endpoint", Self.endpoint(service, "internal", "http://in"))
        let state = session.cloud.identity.directory.state
        let project = state.project(named: "admin", in: "default")?.key ?? ""
        func catalog() async -> [String: Int] {
            let list = await session.send(.get, "auth/catalog").json["catalog"]?.arrayValue ?? []
            return Dictionary(
                list.map { ($0["type"]?.stringValue ?? "", $0["endpoints"]?.arrayValue?.count ?? 0) },
                uniquingKeysWith: +)
        }
        #expect(await catalog()["dns"] == 2)
        let single = "OS-EP-FILTER/projects/\(project)/endpoints/\(inner)"
        #expect(await session.send(.head, single).status == 404)
        #expect(await session.send(.put, single).status == 204)
        #expect(await session.send(.put, single).status == 409)
        #expect(await session.send(.head, single).status == 204)
        #expect(await catalog() == ["dns": 1])
        #expect(await session.list("endpoints", "OS-EP-FILTER/projects/\(project)/endpoints", "id") == [inner])
        #expect(await session.list("projects", "OS-EP-FILTER/endpoints/\(inner)/projects") == ["admin"])
        let group = await session.make(
            "endpoint_group", ["name": "outer", "filters": ["service_id": .string(service), "interface": "public"]],
            at: "OS-EP-FILTER/endpoint_groups")
        let member = "OS-EP-FILTER/endpoint_groups/\(group)/projects/\(project)"
        #expect(await session.send(.put, member).status == 204)
        #expect(await catalog() == ["dns": 2])
        #expect(
            await session.send(.get, member).json["project_endpoint_group"]?["links"]?["self"]
                == .string("/\(member)"))
        #expect(await session.list("endpoints", "OS-EP-FILTER/endpoint_groups/\(group)/endpoints", "id") == [outer])
        #expect(
            await session.list("endpoint_groups", "OS-EP-FILTER/projects/\(project)/endpoint_groups") == ["outer"])
        #expect(await session.list("projects", "OS-EP-FILTER/endpoint_groups/\(group)/projects") == ["admin"])
        #expect(await session.send(.delete, single).status == 204)
        #expect(await catalog() == ["dns": 1])
        #expect(await session.send(.delete, "OS-EP-FILTER/endpoint_groups/\(group)").status == 204)
        #expect(await catalog()["identity"] == 3)
    }

    @Test("an endpoint group's life and what it must not filter by")
    func endpointGroup() async throws {
        let session = try await IdentitySession.admin()
        let path = "OS-EP-FILTER/endpoint_groups"
        let id = await session.make(
            "endpoint_group", ["name": "g", "description": "d", "filters": ["interface": "admin"]], at: path)
        let shown = await session.send(.get, "\(path)/\(id)").json["endpoint_group"]
        #expect(shown?["filters"] == ["interface": "admin"] && shown?["description"] == "d")
        #expect(shown?["links"]?["self"] == .string("https://cloud.test:8700/identity/v3/\(path)/\(id)"))
        #expect(await session.send(.head, "\(path)/\(id)").status == 200)
        let changed = await session.send(
            .patch, "\(path)/\(id)", ["endpoint_group": ["name": "h", "filters": ["service_id": "x"]]])
        #expect(changed.json["endpoint_group"]?["filters"] == ["service_id": "x"])
        #expect(await session.list("endpoint_groups", "\(path)?name=h") == ["h"])
        for filters in [[:], ["color": "red"], ["interface": "none"], "x"] as [JSON] {
            let body: JSON = ["endpoint_group": ["name": "x", "filters": filters]]
            #expect(await session.send(.post, path, body).status == 400, "\(filters.text)")
        }
        #expect(await session.send(.delete, "\(path)/\(id)").status == 204)
        #expect(await session.refusal(.get, "\(path)/\(id)") == "404 Could not find Endpoint Group: \(id).")
    }

    @Test("an endpoint's policy is its own, its region's, or its service's")
    func policies() async throws {
        let session = try await IdentitySession.admin()
        let service = await session.make("service", ["type": "dns"])
        _ = await session.send(.post, "regions", ["region": ["id": "room", "parent_region_id": "RegionOne"]])
        let endpoint = await session.make(
            "endpoint", Self.endpoint(service, "public", "http://x", ["region_id": "room"]))
        var policies: [String] = []
        for name in ["service", "region", "endpoint"] {
            policies.append(
                await session.make("policy", ["blob": .string(name), "type": "application/json"], at: "policies"))
        }
        let effective = "endpoints/\(endpoint)/OS-ENDPOINT-POLICY/policy"
        #expect(
            await session.refusal(.get, effective) == "404 No policy is associated with endpoint \(endpoint).")
        let targets = ["services/\(service)", "services/\(service)/regions/RegionOne", "endpoints/\(endpoint)"]
        for (policy, target) in zip(policies, targets) {
            let path = "policies/\(policy)/OS-ENDPOINT-POLICY/\(target)"
            #expect(await session.send(.head, path).status == 404)
            #expect(await session.send(.put, path).status == 204)
            #expect(await session.send(.head, path).status == 204)
            #expect(await session.send(.get, effective).json["policy"]?["id"] == .string(policy))
            #expect(
                await session.list("endpoints", "policies/\(policy)/OS-ENDPOINT-POLICY/endpoints", "id") == [endpoint])
        }
        #expect(await session.send(.delete, "policies/\(policies[2])").status == 204)
        #expect(await session.send(.get, effective).json["policy"]?["blob"] == "region")
        #expect(await session.send(.delete, "policies/\(policies[1])/OS-ENDPOINT-POLICY/\(targets[1])").status == 204)
        #expect(await session.send(.get, effective).json["policy"]?["blob"] == "service")
        #expect(await session.list("policies", "policies?type=application/json", "blob").count == 2)
        #expect(await session.send(.post, "policies", ["policy": ["blob": ["a": 1], "type": "x"]]).status == 400)
        #expect(await session.send(.post, "policies", ["policy": ["blob": "x"]]).status == 400)
        #expect(await session.send(.delete, "services/\(service)").status == 204)
        #expect(await session.send(.get, effective).status == 404)
    }
}
