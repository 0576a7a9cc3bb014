import CoordinatorIdentity
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Synchronization
import Testing

@Suite("identity: what a removal takes along and what stands in its way")
struct IdentityRemovalTests {
    /// A slice that holds things by project, in memory.
    private final class Shelf: ProjectHoldings {
        struct Contents {
            var servers: [ProjectID: Int] = [:]
            /// Those that cascading does not remove.
            var locked: [ProjectID: Int] = [:]
            var tidied: Set<String> = []
        }
        let contents = Mutex(Contents())

        func remaining(of project: ProjectID, in reader: any SQLReader) throws -> [ProjectHolding] {
            contents.withLock {
                [
                    ProjectHolding("server", $0.servers[project] ?? 0),
                    ProjectHolding("network", $0.locked[project] ?? 0)
                ]
            }
        }
        func remove(
            everythingOf project: ProjectID, by origin: RemovalOrigin, in transaction: any SQLTransaction
        ) throws { contents.withLock { $0.servers[project] = nil } }
        func tidy(after project: ProjectID, in transaction: any SQLTransaction) throws {
            _ = contents.withLock { $0.tidied.insert(project.compact) }
        }
        func tidy(after user: UserID, in transaction: any SQLTransaction) throws {
            _ = contents.withLock { $0.tidied.insert(user.compact) }
        }
    }

    private struct Scene {
        let shelf = Shelf()
        let session: IdentitySession

        init() async throws {
            let cloud = try await IdentityCloud()
            var identity = cloud.identity
            identity.holdings = [shelf]
            session = IdentitySession(
                cloud: IdentityCloud(cloud, serving: identity), token: await cloud.adminToken())
        }

        func put(_ project: String, servers: Int = 0, locked: Int = 0) throws {
            let id = try #require(ProjectID(project))
            shelf.contents.withLock {
                $0.servers[id] = servers
                $0.locked[id] = locked
            }
        }
    }

    @Test("what other slices hold is listed, and goes only when asked")
    func holdings() async throws {
        let scene = try await Scene()
        let project = await scene.session.make("project", ["name": "full"])
        try scene.put(project, servers: 2, locked: 1)
        let before = scene.session.cloud.identity.directory.state.generation
        #expect(
            await scene.session.refusal(.delete, "projects/\(project)")
                == """
                409 Cannot delete the project \(project) since it still has 2 servers, 1 network: delete them first, \
                or repeat the request with ?cascade=true.
                """)
        #expect(scene.session.cloud.identity.directory.state.generation == before)
        #expect(
            await scene.session.refusal(.delete, "projects/\(project)?cascade=true").hasPrefix(
                "409 Cannot delete the project \(project) yet, since it still has 1 network:"))
        #expect(await scene.session.send(.get, "projects/\(project)").status == 200)
        #expect(scene.shelf.contents.withLock { $0.tidied.isEmpty })
        try scene.put(project)
        #expect(await scene.session.send(.delete, "projects/\(project)").status == 204)
        #expect(scene.shelf.contents.withLock { $0.tidied } == [project])
    }

    @Test("the event log has what a refused removal has done, and no deletion")
    func events() async throws {
        let scene = try await Scene()
        let (session, harness) = (scene.session, scene.session.cloud.harness)
        let project = await session.make("project", ["name": "full"])
        func lines() async throws -> [String] {
            await harness.pipeline.refusals.flush()
            return try await harness.database.read { reader in
                try EventLog.events(after: 0, limit: 1000, in: reader).map(\.event)
                    .filter { $0.target == project && $0.action != "identity.project.create" }
                    .map { "\($0.action) \($0.outcome.prefix(7))" }
            }
        }
        // Nothing of it goes: nothing was done.
        try scene.put(project, locked: 1)
        #expect(await session.send(.delete, "projects/\(project)?cascade=true").status == 409)
        #expect(try await lines() == ["identity.project.delete 409 Can"])
        try scene.put(project, servers: 1, locked: 1)
        #expect(await session.send(.delete, "projects/\(project)?cascade=true").status == 409)
        let second = try await lines().sorted()
        #expect(
            second == ["identity.project.clear success"] + Array(repeating: "identity.project.delete 409 Can", count: 2)
        )
        try scene.put(project, servers: 1)
        #expect(await session.send(.delete, "projects/\(project)?cascade=true").status == 204)
        let last = try await lines().last
        #expect(last == "identity.project.delete success")
        let domain = await session.make("domain", ["name": "branch"])
        let inner = await session.make("project", ["name": "p", "domain_id": .string(domain)])
        _ = await session.send(.patch, "domains/\(domain)", ["domain": ["enabled": false]])
        try scene.put(inner, servers: 1, locked: 1)
        #expect(await session.send(.delete, "domains/\(domain)?cascade=true").status == 409)
        let cleared = try await harness.database.read { reader in
            try EventLog.events(after: 0, limit: 1000, in: reader).map(\.event).filter { $0.target == domain }
        }
        #expect(cleared.contains { $0.action == "identity.domain.clear" && $0.outcome == "success" })
        #expect(!cleared.contains { $0.action == "identity.domain.delete" && $0.outcome == "success" })
    }

    @Test("a domain minds what its projects hold")
    func domain() async throws {
        let scene = try await Scene()
        let domain = await scene.session.make("domain", ["name": "branch"])
        let project = await scene.session.make("project", ["name": "p", "domain_id": .string(domain)])
        let user = await scene.session.make("user", ["name": "u", "domain_id": .string(domain)])
        let role = await scene.session.make("role", ["name": "r", "domain_id": .string(domain)])
        _ = await scene.session.send(.put, "domains/\(domain)/config", ["config": ["identity": ["driver": "x"]]])
        _ = await scene.session.send(.patch, "domains/\(domain)", ["domain": ["enabled": false]])
        try scene.put(project, servers: 1)
        #expect(await scene.session.refusal(.delete, "domains/\(domain)").contains("since it still has 1 server:"))
        #expect(await scene.session.send(.get, "roles/\(role)").status == 200)
        #expect(await scene.session.send(.delete, "domains/\(domain)?cascade=true").status == 204)
        #expect(scene.shelf.contents.withLock { $0.tidied } == [project, user])
        for path in ["domains/\(domain)", "projects/\(project)", "users/\(user)", "roles/\(role)"] {
            #expect(await scene.session.send(.get, path).status == 404, "\(path)")
        }
        let tables = ["identity_roles", "identity_users", "identity_projects", "identity_domain_options"]
        for table in tables {
            let rows = try await scene.session.cloud.harness.database.read {
                try $0.count("SELECT COUNT(*) FROM \(table) WHERE domain_key = ?", [domain])
            }
            #expect(rows == 0, "\(table)")
        }
    }

    @Test("tokens end with the project, the role, the user or the domain they stand on")
    func tokens() async throws {
        let scene = try await Scene()
        let session = scene.session
        for kind in ["project", "role", "user", "group"] {
            let project = await session.make("project", ["name": .string("p-\(kind)")])
            let user = await session.make("user", ["name": .string("u-\(kind)"), "password": "pw-secret"])
            let group = await session.make("group", ["name": .string("g-\(kind)")])
            let role = await session.make("role", ["name": .string("r-\(kind)")])
            #expect(await session.send(.put, "groups/\(group)/users/\(user)").status == 204)
            #expect(await session.send(.put, "projects/\(project)/groups/\(group)/roles/\(role)").status == 204)
            let other = await session.user(
                "u-\(kind)", "pw-secret", scope: ["project": ["id": .string(project)]])
            #expect(await other.send(.get, "users/\(user)").status == 200)
            let key = ["project": project, "role": role, "user": user, "group": group][kind] ?? ""
            #expect(await session.send(.delete, "\(kind)s/\(key)").status == 204)
            #expect(await other.send(.get, "users/\(user)").status == 401, "\(kind)")
            let left = try await session.cloud.harness.database.read {
                try $0.count("SELECT COUNT(*) FROM identity_assignments WHERE role_key = ?", [role])
            }
            #expect(left == (kind == "user" ? 1 : 0), "\(kind)")
        }
    }

    @Test("users forget a default project that is gone, and can be changed afterwards")
    func defaultProject() async throws {
        let session = try await IdentitySession.admin()
        let project = await session.make("project", ["name": "home"])
        let user = await session.make("user", ["name": "u", "default_project_id": .string(project)])
        #expect(await session.send(.delete, "projects/\(project)").status == 204)
        #expect(await session.send(.get, "users/\(user)").json["user"]?["default_project_id"] == nil)
        #expect(await session.send(.patch, "users/\(user)", ["user": ["name": "v"]]).status == 200)
        let again = try await IdentityService(database: session.cloud.harness.database, clock: session.cloud.clock)
        #expect(again.directory.state.users.values.first { $0.name == "v" }?.defaultProject == nil)
    }

    @Test("all that was made is there again after a restart")
    func restart() async throws {
        let session = try await IdentitySession.admin()
        let state = session.cloud.identity.directory.state
        let project = state.project(named: "demo", in: "default")?.key ?? ""
        let endpoint = state.endpoints.values.map(\.key).min() ?? ""
        let service = state.services.values.map(\.key).min() ?? ""
        _ = await session.send(.put, "OS-EP-FILTER/projects/\(project)/endpoints/\(endpoint)")
        let group = await session.make(
            "endpoint_group", ["name": "g", "filters": ["interface": "public"]], at: "OS-EP-FILTER/endpoint_groups")
        _ = await session.send(.put, "OS-EP-FILTER/endpoint_groups/\(group)/projects/\(project)")
        let policy = await session.make("policy", ["blob": "b", "type": "t"], at: "policies")
        for target in ["endpoints/\(endpoint)", "services/\(service)", "services/\(service)/regions/RegionOne"] {
            _ = await session.send(.put, "policies/\(policy)/OS-ENDPOINT-POLICY/\(target)")
        }
        let limit: JSON = [
            "service_id": .string(service), "resource_name": "cores", "default_limit": 5, "region_id": "RegionOne"
        ]
        _ = await session.send(.post, "registered_limits", ["registered_limits": .array([limit])])
        _ = await session.send(.put, "domains/default/config", ["config": ["ldap": ["url": "x", "password": "y"]]])
        let before = session.cloud.identity.directory.state.resources
        let after = try await IdentityService(database: session.cloud.harness.database, clock: session.cloud.clock)
            .directory.state.resources
        #expect(after.filter.groups == before.filter.groups && after.filter.groups.count == 1)
        #expect(after.filter.endpointsOfProject == before.filter.endpointsOfProject)
        #expect(after.filter.groupsOfProject == before.filter.groupsOfProject)
        #expect(after.policies.policies == before.policies.policies)
        #expect(
            after.policies.policyOfTarget == before.policies.policyOfTarget && before.policies.policyOfTarget.count == 3
        )
        #expect(after.limits.registered == before.limits.registered && after.limits.registered.count == 1)
        #expect(after.configurations == before.configurations && after.configurations.count == 1)
    }
}
