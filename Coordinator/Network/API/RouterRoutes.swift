import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/routers`.
struct RouterRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames("router", "routers", path: "/v2.0/routers", action: "network.router")

    /// `null` and an empty object take the gateway away.
    private static let gateway = BodyFormat<RouterChange.Gateway> { json throws(BodyFailure) in
        if json.isNull { return .none }
        guard let members = json.objectValue else {
            throw BodyFailure(.sentence("'\(json.stringValue ?? json.text)' is not a dictionary"), json)
        }
        guard !members.isEmpty else { return .none }
        guard let network = members["network_id"] else {
            throw BodyFailure(
                .sentence(
                    "Validation of dictionary's keys failed. Expected keys: {'network_id'} Provided keys: "
                        + "{\(members.keys.sorted().map { "'\($0)'" }.joined(separator: ", "))}"), json)
        }
        let known: Set = ["network_id", "enable_snat", "external_fixed_ips"]
        BodyTrace.note(known)
        let unexpected = members.keys.filter { !known.contains($0) }
        guard unexpected.isEmpty else {
            throw BodyFailure(
                .sentence("Unexpected keys supplied: \(unexpected.sorted().joined(separator: ", "))"), json)
        }
        var request = GatewayRequest(network: try Form.id().read(network))
        if let flag = members["enable_snat"] { request.isSNATEnabled = try Form.flag.read(flag) }
        if let addresses = members["external_fixed_ips"] {
            request.fixedIPs = try Form.list(of: PortRoutes.fixedIP).read(addresses)
        }
        return .network(request)
    }

    private static let zone = Form.text.map { text, json throws(BodyFailure) in
        guard !text.isEmpty else { throw BodyFailure(.sentence("'' is not a valid availability zone"), json) }
        return text
    }

    private static let bodies = ResourceBodies<RouterDraft>(
        "router", blank: RouterDraft(project: .blank),
        shared: [
            .optional("name", \.draft.change.name, Form.text),
            .optional("description", \.draft.change.description, Form.text),
            .optional("admin_state_up", \.draft.change.isAdminUp, Form.flag),
            .optional("external_gateway_info", \.draft.change.gateway, gateway)
        ],
        fixed: [.given("availability_zone_hints", \.draft.zoneHints, Form.list(of: zone))],
        later: [.optional("routes", \.draft.change.routes, Form.list(of: SubnetRoutes.route))],
        shown: ["status", "availability_zones"])

    var routes: [Route] {
        let listing = service.routerListing
        var resource = ResourceRoutes<Listed<RouterRecord>, RouterDraft, RouterDraft>(
            Self.names, listing, view: { item, _ in (item.record.id.text, View.router(item)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            let viewer = try call.viewer()
            try call.authorize("create_router", project: draft.project)
            try Self.authorize("create_router", draft.change, of: draft.project, call)
            let id = try service.createRouter(draft, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: viewer, in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            let viewer = try call.viewer()
            try call.authorize("update_router", project: item.record.project)
            try Self.authorize("update_router", wanted.change, of: item.record.project, call)
            try service.updateRouter(item.record.id, wanted.change, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: viewer, in: transaction)
        }
        resource.delete = { item, call, transaction in
            try call.authorize("delete_router", project: item.record.project)
            try service.deleteRouter(item.record.id, at: call.now, in: transaction)
        }
        return resource.routes + [
            interface("add_router_interface", adding: true), interface("remove_router_interface", adding: false),
            extraRoutes("add_extraroutes", adding: true), extraRoutes("remove_extraroutes", adding: false)
        ]
    }

    /// What of a gateway takes more than owning the router.
    private static func authorize(
        _ rule: String, _ change: RouterChange, of project: ProjectID, _ call: APICall
    ) throws {
        guard case .network(let request)? = change.gateway else { return }
        let attribute = "\(rule):external_gateway_info"
        try call.authorize(attribute, project: project)
        try call.authorize("\(attribute):network_id", project: project)
        if request.isSNATEnabled != nil { try call.authorize("\(attribute):enable_snat", project: project) }
        if !request.fixedIPs.isEmpty { try call.authorize("\(attribute):external_fixed_ips", project: project) }
    }

    /// A change of the router that the path names, by the rule of the call's name.
    private func action<T: Sendable>(
        _ rule: String, _ call: APICall,
        _ change: @escaping @Sendable (RouterID, Viewer, any SQLTransaction) throws -> T
    ) async throws -> T {
        do {
            return try await call.write { transaction in
                let viewer = try call.viewer()
                let router = try service.routerListing.record(call.parameter("id"), viewer: viewer, in: transaction)
                try call.authorize(rule, project: router.project)
                return try change(router.id, viewer, transaction)
            }
        } catch { throw Neutron.refused(error) }
    }

    private func interface(_ name: String, adding: Bool) -> Route {
        let action = "network.router.\(adding ? "add" : "remove")_interface"
        return Route(.put, "\(Self.names.path)/{id}/\(name)", action: action) { call in
            let request = try Self.request(try await call.json(), adding: adding)
            let answer = try await self.action(name, call) { router, viewer, transaction in
                adding
                    ? try service.addInterface(request, to: router, viewer: viewer, at: call.now, in: transaction)
                    : try service.removeInterface(request, from: router, viewer: viewer, at: call.now, in: transaction)
            }
            return .json(View.interface(answer))
        }.asking(name)
    }

    private static func request(_ body: JSON, adding: Bool) throws -> InterfaceRequest {
        func id<Resource>(_ name: String) throws -> Identifier<Resource>? {
            guard let json = body[name] else { return nil }
            guard let id = json.stringValue.flatMap({ Identifier<Resource>($0) }) else {
                throw APIError.bad("router", "'\(json.stringValue ?? json.text)' is not a valid UUID")
            }
            return id
        }
        BodyTrace.note(["subnet_id", "port_id"])
        let request = InterfaceRequest(subnet: try id("subnet_id"), port: try id("port_id"))
        guard request.subnet != nil || request.port != nil else {
            throw APIError.bad("router", "Either subnet_id or port_id must be specified")
        }
        if adding, request.subnet != nil, request.port != nil {
            throw APIError.bad("router", "Cannot specify both subnet-id and port-id")
        }
        return request
    }

    private struct SentRoutes: Sendable {
        var routes: [HostRoute] = []
    }

    private static let routesBody = BodySchema<SentRoutes>(
        blank: SentRoutes(), [.required("routes", \.routes, Form.list(of: SubnetRoutes.route))])

    private func extraRoutes(_ name: String, adding: Bool) -> Route {
        Route(.put, "\(Self.names.path)/{id}/\(name)", action: "network.router.\(name)") { call in
            guard let body = try await call.json()["router"] else {
                throw APIError.http("Unable to find 'router' in request body")
            }
            let sent = try Self.routesBody.read(body, wording: Neutron.words("router", creating: false))
            let item = try await action(name, call) { router, viewer, transaction in
                try service.changeRoutes(
                    of: router, sent.routes, adding: adding, viewer: viewer, at: call.now, in: transaction)
                return try service.routerListing.find(router.text, viewer: viewer, in: transaction)
            }
            return .json(["router": .object(View.router(item))])
        }.asking(name)
    }
}
