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
            Route(.get, Self.single, handler: check).asking("identity:check_endpoint_in_project"),
            Route(.put, Self.single, action: "identity.endpoint_filter.create", handler: add).asking(
                "identity:add_endpoint_to_project"),
            Route(.delete, Self.single, action: "identity.endpoint_filter.delete", handler: remove).asking(
                "identity:remove_endpoint_from_project"),
            Route(.get, "\(Self.place)/projects/{project}/endpoints", handler: endpointsOfProject).asking(
                "identity:list_endpoints_for_project"),
            Route(.get, "\(Self.place)/endpoints/{endpoint}/projects", handler: projectsOfEndpoint).asking(
                "identity:list_projects_for_endpoint")
        ]
    }

    private var groupRoutes: [Route] {
        [
            Route(.get, Self.grouped, handler: showGroup).asking("identity:get_endpoint_group_in_project"),
            Route(.put, Self.grouped, action: "identity.endpoint_group_filter.create", handler: addGroup).asking(
                "identity:add_endpoint_group_to_project"),
            Route(.delete, Self.grouped, action: "identity.endpoint_group_filter.delete", handler: removeGroup).asking(
                "identity:remove_endpoint_group_from_project"),
            Route(.get, "\(Self.place)/projects/{project}/endpoint_groups", handler: groupsOfProject).asking(
                "identity:list_endpoint_groups_for_project"),
            Route(.get, "\(Self.place)/endpoint_groups/{group}/projects", handler: projectsOfGroup).asking(
                "identity:list_projects_associated_with_endpoint_group"),
            Route(.get, "\(Self.place)/endpoint_groups/{group}/endpoints", handler: endpointsOfGroup).asking(
                "identity:list_endpoints_associated_with_endpoint_group")
        ]
    }

    private var state: IdentityState { identity.directory.state }

    // MARK: - What the path names

    private func project(_ call: APICall) throws(APIError) -> Project {
        let key = call.parameter("project")
        guard let project = ProjectID(key).flatMap({ state.projects[$0] }) else {
            throw IdentityAPI.notFound("project", key)
        }
        return project
    }

    private func endpoint(_ call: APICall) throws(APIError) -> Endpoint {
        let key = call.parameter("endpoint")
        guard let endpoint = state.endpoints[key] else { throw IdentityAPI.notFound("endpoint", key) }
        return endpoint
    }

    private func group(_ call: APICall) throws(APIError) -> EndpointGroup {
        let key = call.parameter("group")
        guard let group = state.resources.filter.groups[key] else { throw IdentityAPI.notFound("Endpoint Group", key) }
        return group
    }

    // MARK: - Single endpoints

    private func requireAssociation(_ endpoint: String, _ project: Project) throws(APIError) {
        guard state.resources.filter.isAssociated(.endpoint(endpoint), with: project.id) else {
            throw .notFound("Endpoint \(endpoint) not found in project \(project.key)")
        }
    }

    private func check(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:check_endpoint_in_project")
        let endpoint = try endpoint(call)
        try requireAssociation(endpoint.key, try project(call))
        return .empty(204)
    }

    private func add(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:add_endpoint_to_project")
        let endpoint = try endpoint(call)
        return try await give(.endpoint(endpoint.key), to: try project(call), "project_endpoint", call)
    }

    private func remove(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:remove_endpoint_from_project")
        let project = try project(call)
        let endpoint = call.parameter("endpoint")
        try requireAssociation(endpoint, project)
        return try await take(.endpoint(endpoint), from: project, call)
    }

    private func endpointsOfProject(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_endpoints_for_project")
        let project = try project(call)
        let visible = state.resources.filter.visible(to: project.id, of: state.endpoints.values) ?? []
        return list(visible.compactMap { state.endpoints[$0] }, call)
    }

    private func projectsOfEndpoint(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_projects_for_endpoint")
        let endpoint = try endpoint(call)
        return list(
            state.resources.filter.endpointsOfProject.filter { $0.value.contains(endpoint.key) }.map(\.key), call)
    }

    // MARK: - Groups of endpoints

    private func requireAssociation(_ group: EndpointGroup, _ project: Project) throws(APIError) {
        guard state.resources.filter.isAssociated(.group(group.key), with: project.id) else {
            throw .notFound("Endpoint Group Project Association not found")
        }
    }

    private func showGroup(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:get_endpoint_group_in_project")
        let project = try project(call)
        let group = try group(call)
        try requireAssociation(group, project)
        let link = "/OS-EP-FILTER/endpoint_groups/\(group.key)/projects/\(project.key)"
        let body: JSON = [
            "endpoint_group_id": .string(group.key), "project_id": .string(project.key),
            "links": ["self": .string(link)]
        ]
        return .json(["project_endpoint_group": body])
    }

    private func addGroup(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:add_endpoint_group_to_project")
        let project = try project(call)
        return try await give(.group(try group(call).key), to: project, "project_endpoint_group", call)
    }

    private func removeGroup(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:remove_endpoint_group_from_project")
        let project = try project(call)
        let group = try group(call)
        try requireAssociation(group, project)
        return try await take(.group(group.key), from: project, call)
    }

    private func groupsOfProject(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_endpoint_groups_for_project")
        let project = try project(call)
        let groups = (state.resources.filter.groupsOfProject[project.id] ?? [])
            .compactMap { state.resources.filter.groups[$0] }.sorted { ($0.name, $0.key) < ($1.name, $1.key) }
        return Rendering.collection(
            "endpoint_groups", groups.map { IdentityService.endpointGroups.rendered($0, call) }, call)
    }

    private func projectsOfGroup(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_projects_associated_with_endpoint_group")
        let group = try group(call)
        return list(state.resources.filter.groupsOfProject.filter { $0.value.contains(group.key) }.map(\.key), call)
    }

    private func endpointsOfGroup(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_endpoints_associated_with_endpoint_group")
        let group = try group(call)
        return list(state.endpoints.values.filter { group.contains($0) }, call)
    }

    // MARK: - Changes

    /// - Parameter kind: How the refusal of what is there already calls it.
    private func give(
        _ choice: CatalogFilter.Choice, to project: Project, _ kind: String, _ call: APICall
    ) async throws -> APIResponse {
        do {
            try await identity.change(call, target: "\(project.key)/\(choice.key)") { transaction in
                try ResourceStore.associate(choice, with: project.id, in: transaction)
            } apply: { state in
                state.changeResources { $0.filter.associate(choice, with: project.id) }
            }
        } catch StoreError.duplicate {
            throw APIError.conflict("Conflict occurred attempting to store \(kind) - Duplicate entry.")
        }
        return .empty(204)
    }

    private func take(
        _ choice: CatalogFilter.Choice, from project: Project, _ call: APICall
    ) async throws -> APIResponse {
        try await identity.change(call, target: "\(project.key)/\(choice.key)") { transaction in
            try ResourceStore.dissociate(choice, from: project.id, in: transaction)
        } apply: { state in
            state.changeResources { $0.filter.dissociate(choice, from: project.id) }
        }
        return .empty(204)
    }

    // MARK: - Lists

    private func list(_ endpoints: [Endpoint], _ call: APICall) -> APIResponse {
        Rendering.collection(
            "endpoints",
            endpoints.sorted { $0.key < $1.key }.map { IdentityService.endpoints.rendered($0, call) }, call)
    }

    private func list(_ projects: [ProjectID], _ call: APICall) -> APIResponse {
        let found = projects.compactMap { state.projects[$0] }.sorted { ($0.name, $0.key) < ($1.name, $1.key) }
        return Rendering.collection("projects", found.map { IdentityService.projects.rendered($0, call) }, call)
    }
}
