import CoordinatorPlatform
import ProtocolModel

/// `/v3/OS-EP-FILTER`: which endpoints a project finds in its catalog.
struct EndpointFilterRoutes: Sendable {
    let identity: IdentityService

    private static let place = "/v3/OS-EP-FILTER"
    private static let single = "\(place)/projects/{project}/endpoints/{endpoint}"
    private static let grouped = "\(place)/endpoint_groups/{group}/projects/{project}"

    var all: [Route] { singleRoutes + groupRoutes }

    private var singleRoutes: [Route] {
        [
            Route(.get, Self.single, handler: check).gated(by: "identity:check_endpoint_in_project"),
            Route(.put, Self.single, action: "identity.endpoint_filter.create", handler: add).gated(
                by:
                    "identity:add_endpoint_to_project"),
            Route(.delete, Self.single, action: "identity.endpoint_filter.delete", handler: remove).gated(
                by:
                    "identity:remove_endpoint_from_project"),
            Route(.get, "\(Self.place)/projects/{project}/endpoints", handler: endpointsOfProject).gated(
                by:
                    "identity:list_endpoints_for_project"),
            Route(.get, "\(Self.place)/endpoints/{endpoint}/projects", handler: projectsOfEndpoint).gated(
                by:
                    "identity:list_projects_for_endpoint")
        ]
    }

    private var groupRoutes: [Route] {
        [
            Route(.get, Self.grouped, handler: showGroup).gated(by: "identity:get_endpoint_group_in_project"),
            Route(.put, Self.grouped, action: "identity.endpoint_group_filter.create", handler: addGroup).gated(
                by:
                    "identity:add_endpoint_group_to_project"),
            Route(.delete, Self.grouped, action: "identity.endpoint_group_filter.delete", handler: removeGroup).gated(
                by:
                    "identity:remove_endpoint_group_from_project"),
            Route(.get, "\(Self.place)/projects/{project}/endpoint_groups", handler: groupsOfProject).gated(
                by:
                    "identity:list_endpoint_groups_for_project"),
            Route(.get, "\(Self.place)/endpoint_groups/{group}/projects", handler: projectsOfGroup).gated(
                by:
                    "identity:list_projects_associated_with_endpoint_group"),
            Route(.get, "\(Self.place)/endpoint_groups/{group}/endpoints", handler: endpointsOfGroup).gated(
                by:
                    "identity:list_endpoints_associated_with_endpoint_group")
        ]
    }

    private var state: IdentityState { identity.directory.state }

    // MARK: - What the path names

    private func project(_ call: APICall, _ state: IdentityState) throws(APIError) -> Project {
        let key = call.parameter("project")
        let projects = state.projects
        guard let project = ProjectID(key).flatMap({ projects[$0] }) else {
            throw IdentityAPI.notFound("project", key)
        }
        return project
    }

    private func endpoint(_ call: APICall, _ state: IdentityState) throws(APIError) -> Endpoint {
        let key = call.parameter("endpoint")
        guard let endpoint = state.endpoints[key] else { throw IdentityAPI.notFound("endpoint", key) }
        return endpoint
    }

    private func group(_ call: APICall, _ state: IdentityState) throws(APIError) -> EndpointGroup {
        let key = call.parameter("group")
        guard let group = state.resources.filter.groups[key] else {
            throw IdentityAPI.notFound("Endpoint Group", key)
        }
        return group
    }

    // MARK: - Single endpoints

    private func requireAssociation(
        _ endpoint: String, _ project: Project, _ state: IdentityState
    ) throws(APIError) {
        guard state.resources.filter.isAssociated(.endpoint(endpoint), with: project.id) else {
            throw .notFound("Endpoint \(endpoint) not found in project \(project.key)")
        }
    }

    private func check(_ call: APICall) async throws -> APIResponse {
        let endpoint = try endpoint(call, state)
        try requireAssociation(endpoint.key, try project(call, state), state)
        return .empty(204)
    }

    private func add(_ call: APICall) async throws -> APIResponse {
        return try await give(call, "project_endpoint") { state in
            let endpoint = try endpoint(call, state)
            return (.endpoint(endpoint.key), try project(call, state))
        }
    }

    private func remove(_ call: APICall) async throws -> APIResponse {
        return try await take(call) { state in
            let project = try project(call, state)
            let endpoint = call.parameter("endpoint")
            try requireAssociation(endpoint, project, state)
            return (.endpoint(endpoint), project)
        }
    }

    private func endpointsOfProject(_ call: APICall) async throws -> APIResponse {
        let project = try project(call, state)
        let visible = state.resources.filter.visible(to: project.id, of: state.endpoints.values) ?? []
        return list(visible.compactMap { state.endpoints[$0] }, call)
    }

    private func projectsOfEndpoint(_ call: APICall) async throws -> APIResponse {
        let endpoint = try endpoint(call, state)
        return list(
            state.resources.filter.endpointsOfProject.filter { $0.value.contains(endpoint.key) }.map(\.key), call)
    }

    // MARK: - Groups of endpoints

    private func requireAssociation(
        _ group: EndpointGroup, _ project: Project, _ state: IdentityState
    ) throws(APIError) {
        guard state.resources.filter.isAssociated(.group(group.key), with: project.id) else {
            throw .notFound("Endpoint Group Project Association not found")
        }
    }

    private func showGroup(_ call: APICall) async throws -> APIResponse {
        let project = try project(call, state)
        let group = try group(call, state)
        try requireAssociation(group, project, state)
        let link = "/OS-EP-FILTER/endpoint_groups/\(group.key)/projects/\(project.key)"
        let body: JSON = [
            "endpoint_group_id": .string(group.key), "project_id": .string(project.key),
            "links": ["self": .string(link)]
        ]
        return .json(["project_endpoint_group": body])
    }

    private func addGroup(_ call: APICall) async throws -> APIResponse {
        return try await give(call, "project_endpoint_group") { state in
            let project = try project(call, state)
            return (.group(try group(call, state).key), project)
        }
    }

    private func removeGroup(_ call: APICall) async throws -> APIResponse {
        return try await take(call) { state in
            let project = try project(call, state)
            let group = try group(call, state)
            try requireAssociation(group, project, state)
            return (.group(group.key), project)
        }
    }

    private func groupsOfProject(_ call: APICall) async throws -> APIResponse {
        let project = try project(call, state)
        let groups = (state.resources.filter.groupsOfProject[project.id] ?? [])
            .compactMap { state.resources.filter.groups[$0] }.sorted { ($0.name, $0.key) < ($1.name, $1.key) }
        return Keystone.collection(
            "endpoint_groups", groups.map { IdentityKinds.endpointGroups.rendered($0, call) }, call)
    }

    private func projectsOfGroup(_ call: APICall) async throws -> APIResponse {
        let group = try group(call, state)
        return list(state.resources.filter.groupsOfProject.filter { $0.value.contains(group.key) }.map(\.key), call)
    }

    private func endpointsOfGroup(_ call: APICall) async throws -> APIResponse {
        let group = try group(call, state)
        return list(state.endpoints.values.filter { group.contains($0) }, call)
    }

    // MARK: - Changes

    private typealias Pair = (choice: CatalogFilter.Choice, project: Project)

    /// - Parameter kind: How the refusal of what is there already calls it.
    private func give(
        _ call: APICall, _ kind: String, _ find: @escaping @Sendable (IdentityState) throws -> Pair
    ) async throws -> APIResponse {
        try await call.change(identity, find, target: { "\($0.project.key)/\($0.choice.key)" }) { pair, edit in
            do { try edit.associate(pair.choice, with: pair.project.id) } catch StoreError.duplicate {
                throw Keystone.duplicate("\(kind) - Duplicate entry")
            }
        }
    }

    private func take(
        _ call: APICall, _ find: @escaping @Sendable (IdentityState) throws -> Pair
    ) async throws -> APIResponse {
        try await call.change(identity, find, target: { "\($0.project.key)/\($0.choice.key)" }) { pair, edit in
            try edit.dissociate(pair.choice, from: pair.project.id)
        }
    }

    // MARK: - Lists

    private func list(_ endpoints: [Endpoint], _ call: APICall) -> APIResponse {
        Keystone.collection(
            "endpoints",
            endpoints.sorted { $0.key < $1.key }.map { IdentityKinds.endpoints.rendered($0, call) }, call)
    }

    private func list(_ projects: [ProjectID], _ call: APICall) -> APIResponse {
        let found = projects.compactMap { state.projects[$0] }.sorted { ($0.name, $0.key) < ($1.name, $1.key) }
        return Keystone.collection("projects", found.map { IdentityKinds.projects.rendered($0, call) }, call)
    }
}
