import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("identity: trees, tags, options and pages of projects and domains")
struct IdentityProjectTests {
    @Test("a tree shows its parents and its subtree, as lists and as identifiers")
    func tree() async throws {
        let session = try await IdentitySession.admin()
        let a = await session.make("project", ["name": "a"])
        let b = await session.make("project", ["name": "b", "parent_id": .string(a)])
        let c = await session.make("project", ["name": "c", "parent_id": .string(b)])
        let d = await session.make("project", ["name": "d", "parent_id": .string(b)])
        let up = await session.send(.get, "projects/\(c)?parents_as_ids").json["project"]?["parents"]
        #expect(up == .object([b: .object([a: ["default": nil]])]))
        let down = await session.send(.get, "projects/\(a)?subtree_as_ids").json["project"]?["subtree"]
        #expect(down == .object([b: .object([c: nil, d: nil])]))
        #expect(await session.send(.get, "projects/\(c)?subtree_as_ids").json["project"]?["subtree"] == .null)
        // Lists hold only what the caller has a role on.
        #expect(await session.send(.get, "projects/\(a)?subtree_as_list").json["project"]?["subtree"] == [])
        let admin = session.cloud.identity.directory.state.user(named: "admin", in: "default")?.key ?? ""
        let role = session.cloud.identity.directory.state.role(named: "reader")?.key ?? ""
        #expect(await session.send(.put, "projects/\(d)/users/\(admin)/roles/\(role)").status == 204)
        let list = await session.send(.get, "projects/\(a)?subtree_as_list").json["project"]?["subtree"]?.arrayValue
        #expect(list?.compactMap { $0["project"]?["name"] } == ["d"])
        #expect(
            await session.refusal(.get, "projects/\(a)?subtree_as_list&subtree_as_ids")
                == "400 Cannot use subtree_as_list and subtree_as_ids query params at the same time.")
        #expect(await session.send(.get, "projects/\(a)?subtree_as_ids=0").json["project"]?["subtree"] == nil)
        #expect(await session.list("projects", "projects?parent_id=\(b)") == ["c", "d"])
        #expect(await session.list("projects", "projects?parent_id=default&name__startswith=a") == ["a", "admin"])
    }

    @Test("projects stand at most five deep, and only below enabled ones of their own domain")
    func placement() async throws {
        let session = try await IdentitySession.admin()
        var parent = "default"
        for depth in 1...5 {
            parent = await session.make("project", ["name": .string("p\(depth)"), "parent_id": .string(parent)])
            #expect(!parent.isEmpty, "depth \(depth)")
        }
        #expect(
            await session.refusal(.post, "projects", ["project": ["name": "p6", "parent_id": .string(parent)]])
                == "403 Max hierarchy depth reached for \(parent) branch.")
        let other = await session.make("domain", ["name": "other"])
        #expect(
            await session.refusal(
                .post, "projects", ["project": ["name": "x", "parent_id": .string(parent), "domain_id": .string(other)]]
            )
                == """
                400 Cannot create project, since it specifies its domain_id \(other), but specifies a parent in a \
                different domain (default).
                """)
        #expect(
            await session.refusal(.post, "projects", ["project": ["name": "x", "parent_id": .string(other)]])
                .hasPrefix("400 Cannot create project, the parent (\(other)) is acting as a domain"))
        #expect(
            await session.refusal(.post, "projects", ["project": ["name": "x", "domain_id": "nowhere"]])
                == "400 Could not find domain: nowhere.")
        let unknown = String(repeating: "0", count: 32)
        #expect(
            await session.refusal(.post, "projects", ["project": ["name": "x", "parent_id": .string(unknown)]])
                == "400 Could not find project: \(unknown).")
        _ = await session.send(.patch, "domains/\(other)", ["domain": ["enabled": false]])
        #expect(
            await session.refusal(.post, "projects", ["project": ["name": "x", "domain_id": .string(other)]])
                == "400 cannot create a project in a branch containing a disabled project: \(other)")
    }

    @Test("disabling and deleting mind the subtree, or take it along")
    func cascade() async throws {
        let session = try await IdentitySession.admin()
        let top = await session.make("project", ["name": "top"])
        let low = await session.make("project", ["name": "low", "parent_id": .string(top)])
        #expect(
            await session.refusal(.patch, "projects/\(top)", ["project": ["enabled": false]])
                == "403 Cannot disable project \(top) since its subtree contains enabled projects.")
        #expect(
            await session.refusal(.delete, "projects/\(top)")
                == """
                403 Cannot delete the project \(top) since it is not a leaf in the hierarchy. Use the cascade option \
                if you want to delete a whole subtree.
                """)
        #expect(
            await session.refusal(.delete, "projects/\(top)?cascade=true")
                == "403 Cannot delete project \(top) since its subtree contains enabled projects.")
        #expect(
            await session.refusal(.patch, "projects/\(top)?cascade=true", ["project": ["enabled": false, "name": "n"]])
                == "400 Cascade update is only allowed for enabled attribute.")
        #expect(
            await session.send(.patch, "projects/\(top)?cascade=true", ["project": ["enabled": false]]).json[
                "project"]?[
                    "enabled"] == false)
        #expect(await session.send(.get, "projects/\(low)").json["project"]?["enabled"] == false)
        #expect(
            await session.refusal(.patch, "projects/\(low)", ["project": ["enabled": true]])
                == "403 Cannot enable project \(low) since it has disabled parents")
        #expect(await session.send(.delete, "projects/\(top)?cascade=true").status == 204)
        #expect(await session.send(.get, "projects/\(low)").status == 404)
        let rows = try await session.cloud.harness.database.read {
            try $0.count("SELECT COUNT(*) FROM identity_projects")
        }
        #expect(rows == session.cloud.identity.directory.state.projects.count)
    }

    @Test("a project that acts as a domain is the domain")
    func actingAsDomain() async throws {
        let session = try await IdentitySession.admin()
        let body: JSON = ["project": ["name": "branch", "is_domain": true, "domain_id": nil, "tags": ["x"]]]
        let made = await session.send(.post, "projects", body)
        #expect(made.status == 201)
        let project = try #require(made.json["project"])
        let id = try #require(project["id"]?.stringValue)
        #expect(project["is_domain"] == true && project["domain_id"] == .null && project["parent_id"] == .null)
        #expect(await session.list("projects", "projects?is_domain=True") == ["Default", "branch"])
        #expect(await session.list("projects", "projects?is_domain=true&tags=x") == ["branch"])
        #expect(await session.list("projects").contains("branch") == false)
        #expect(await session.send(.get, "domains/\(id)").json["domain"]?["name"] == "branch")
        #expect(await session.send(.get, "projects/\(id)").json["project"]?["is_domain"] == true)
        #expect(
            await session.refusal(.post, "projects", ["project": ["name": "branch", "is_domain": true]])
                == """
                409 Conflict occurred attempting to store project - it is not permitted to have two projects acting as \
                domains with the same name: branch.
                """)
        #expect(
            await session.refusal(
                .post, "projects", ["project": ["name": "y", "is_domain": true, "parent_id": "default"]])
                == "400 only root projects are allowed to act as domains.")
        #expect(await session.send(.delete, "projects/\(id)").status == 403)
        #expect(await session.send(.patch, "projects/\(id)", ["project": ["enabled": false]]).status == 200)
        #expect(await session.send(.delete, "projects/\(id)").status == 204)
        #expect(await session.send(.get, "domains/\(id)").status == 404)
    }

    @Test("tags filter lists in four ways")
    func tagFilters() async throws {
        let session = try await IdentitySession.admin()
        for (name, tags) in [("one", ["red"]), ("two", ["red", "blue"]), ("none", [])] as [(String, [String])] {
            _ = await session.make("project", ["name": .string(name), "tags": .array(tags.map { .string($0) })])
        }
        func names(_ query: String) async -> Set<String> {
            Set(await session.list("projects", "projects?\(query)")).subtracting(["admin", "demo"])
        }
        #expect(await names("tags=red") == ["one", "two"])
        #expect(await names("tags=red,blue") == ["two"])
        #expect(await names("tags-any=blue,green") == ["two"])
        #expect(await names("not-tags=red,blue") == ["one", "none"])
        #expect(await names("not-tags-any=red,blue") == ["none"])
        #expect(await names("tags=red&not-tags=blue") == ["one"])
        #expect(await names("unheard=of") == ["one", "two", "none"])
    }

    @Test("single tags are added, found and removed")
    func tags() async throws {
        let session = try await IdentitySession.admin()
        let id = await session.make("project", ["name": "tagged"])
        let added = await session.send(.put, "projects/\(id)/tags/a%20b")
        #expect(added.status == 201)
        #expect(added.header("Location") == "https://cloud.test:8700/identity/v3/projects/\(id)/tags/a%20b")
        #expect(await session.send(.get, "projects/\(id)/tags/a%20b").status == 204)
        let set = await session.send(.put, "projects/\(id)/tags", ["tags": ["z", "y"]])
        #expect(set.json["tags"] == ["y", "z"] && set.json["links"]?["self"] != nil)
        #expect(await session.refusal(.delete, "projects/\(id)/tags/q") == "404 Could not find project tag: q.")
        #expect(
            await session.refusal(.put, "projects/\(id)/tags", ["tags": ["a,b"]])
                == "400 Invalid input for field 'tags/0': 'a,b' does not match '^[^,/]*$'")
        #expect(
            await session.refusal(.put, "projects/\(id)/tags", ["tags": ["a", "a"]])
                == "400 Invalid input for field 'tags': ['a', 'a'] has non-unique elements")
        let many = JSON.array((0...80).map { .string("t\($0)") })
        #expect(await session.refusal(.put, "projects/\(id)/tags", ["tags": many]).hasSuffix("is too long"))
        #expect(await session.send(.delete, "projects/\(id)/tags").status == 204)
        #expect(await session.send(.get, "projects/\(id)/tags").json["tags"] == [])
    }

    @Test("what is immutable stays until it is said to be mutable again", arguments: ["project", "role", "domain"])
    func immutable(kind: String) async throws {
        let session = try await IdentitySession.admin()
        let id = await session.make(kind, ["name": "rock", "options": ["immutable": true]])
        #expect(await session.send(.get, "\(kind)s/\(id)").json[kind]?["options"] == ["immutable": true])
        let text = #"immutable \#(kind) resource: `\#(id). Set resource option "immutable" to false first."#
        #expect(
            await session.refusal(.patch, "\(kind)s/\(id)", [kind: ["name": "sand"]]) == "403 Unable to update \(text)")
        #expect(
            await session.refusal(.patch, "\(kind)s/\(id)", [kind: ["name": "sand", "options": ["immutable": false]]])
                == "403 Unable to update \(text)")
        #expect(await session.refusal(.delete, "\(kind)s/\(id)") == "403 Unable to delete \(text)")
        // The body is judged first, as in Keystone: what it is about is only then looked at.
        #expect(
            await session.refusal(.patch, "\(kind)s/\(id)", [kind: ["options": ["other": true]]]).hasPrefix("400 "))
        let freed = await session.send(.patch, "\(kind)s/\(id)", [kind: ["options": ["immutable": nil]]])
        #expect(freed.json[kind]?["options"] == [:])
        #expect(
            await session.refusal(.patch, "\(kind)s/\(id)", [kind: ["options": ["other": true]]])
                == """
                400 Invalid input for field 'options': Additional properties are not allowed ('other' was unexpected)
                """)
        if kind == "domain" { _ = await session.send(.patch, "domains/\(id)", ["domain": ["enabled": false]]) }
        #expect(await session.send(.delete, "\(kind)s/\(id)").status == 204)
    }

    @Test("pages go by identifier, say that they are cut off, and where they go on")
    func pages() async throws {
        let session = try await IdentitySession.admin()
        for number in 0..<5 { _ = await session.make("group", ["name": .string("g\(number)")]) }
        var found: [String] = []
        var path = "groups?limit=2&domain_id=default"
        var pages = 0
        while pages < 5 {
            let page = await session.send(.get, path).json
            found += page["groups"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            pages += 1
            guard let next = page["links"]?["next"]?.stringValue else {
                #expect(page["truncated"] == nil)
                break
            }
            #expect(page["truncated"] == true)
            path = next.replacing("https://cloud.test:8700/identity/v3/", with: "")
        }
        #expect(pages == 3 && found.count == 5 && Set(found).count == 5 && found == found.sorted())
        #expect(await session.refusal(.get, "groups?marker=nowhere") == "404 Marker nowhere could not be found.")
        #expect(await session.send(.get, "groups?limit=x").status == 400)
        #expect(await session.list("groups", "groups?limit=0").count == 5)
        #expect(
            await session.send(.get, "groups?name=g1").json["links"]?["self"]
                == "https://cloud.test:8700/identity/v3/groups?name=g1")
    }

    @Test(
        "names are bounded as in Keystone's schemas",
        arguments: [("project", 64), ("domain", 64), ("group", 255), ("role", 255), ("user", 255)])
    func names(kind: String, limit: Int) async throws {
        let session = try await IdentitySession.admin()
        let fits = JSON.string(String(repeating: "a", count: limit))
        let over = JSON.string(String(repeating: "a", count: limit + 1))
        #expect(await session.send(.post, "\(kind)s", [kind: ["name": fits]]).status == 201)
        #expect(await session.refusal(.post, "\(kind)s", [kind: ["name": over]]).hasSuffix("is too long"))
        #expect(
            await session.refusal(.post, "\(kind)s", [kind: ["name": ""]])
                == "400 Invalid input for field 'name': '' is too short")
        #expect(
            await session.refusal(.post, "\(kind)s", [kind: ["name": 7]])
                == "400 Invalid input for field 'name': 7 is not of type 'string'")
        #expect(
            await session.refusal(.post, "\(kind)s", [kind: [:]])
                == "400 Invalid input for field '\(kind)': 'name' is a required property")
    }

    @Test("a domain's manager works in the domain and nowhere else")
    func manager() async throws {
        let session = try await IdentitySession.admin()
        let domain = await session.make("domain", ["name": "branch"])
        let user = await session.make(
            "user", ["name": "boss", "password": "boss-secret", "domain_id": .string(domain)])
        let role = session.cloud.identity.directory.state.role(named: "manager")?.key ?? ""
        #expect(await session.send(.put, "domains/\(domain)/users/\(user)/roles/\(role)").status == 204)
        let person: JSON = ["user": ["id": .string(user), "password": "boss-secret"]]
        let body: JSON = [
            "auth": [
                "identity": ["methods": ["password"], "password": person], "scope": ["domain": ["id": .string(domain)]]
            ]
        ]
        let token = await session.cloud.harness.post("/identity/v3/auth/tokens", body, as: nil).header(
            "X-Subject-Token")
        let boss = IdentitySession(cloud: session.cloud, token: try #require(token))
        let own = await boss.make("project", ["name": "own"])
        #expect(!own.isEmpty)
        #expect(await boss.list("projects") == ["own"])
        #expect(await boss.send(.post, "projects", ["project": ["name": "x", "domain_id": "default"]]).status == 403)
        #expect(await boss.send(.post, "domains", ["domain": ["name": "x"]]).status == 403)
        let demo = session.cloud.identity.directory.state.user(named: "demo", in: "default")?.key ?? ""
        #expect(await boss.send(.put, "projects/\(own)/users/\(user)/roles/\(role)").status == 204)
        #expect(await boss.send(.put, "projects/\(own)/users/\(demo)/roles/\(role)").status == 403)
        #expect(await boss.send(.put, "system/users/\(user)/roles/\(role)").status == 403)
        let admin = session.cloud.identity.directory.state.role(named: "admin")?.key ?? ""
        #expect(await boss.send(.put, "projects/\(own)/users/\(user)/roles/\(admin)").status == 403)
    }
}
