import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// A router's way to the outside, as a call asks for it.
package struct GatewayRequest: Sendable, Hashable {
    package var network: NetworkID
    /// `nil` for the default, which is on.
    package var isSNATEnabled: Bool?
    /// Empty for whatever the network gives.
    package var fixedIPs: [FixedIPRequest]

    package init(network: NetworkID, isSNATEnabled: Bool? = nil, fixedIPs: [FixedIPRequest] = []) {
        self.network = network
        self.isSNATEnabled = isSNATEnabled
        self.fixedIPs = fixedIPs
    }
}

/// What a call changes of a router; `nil` where it says nothing.
package struct RouterChange: Sendable {
    package enum Gateway: Sendable, Hashable {
        case none
        case network(GatewayRequest)
    }

    package var name: String?
    package var description: String?
    package var isAdminUp: Bool?
    package var gateway: Gateway?
    package var routes: [HostRoute]?

    package init() {}
}

/// What a create call says of a router.
package struct RouterDraft: Sendable {
    package var project: ProjectID
    package var change = RouterChange()
    package var zoneHints: [String] = []

    package init(project: ProjectID) { self.project = project }
}

extension NetworkService {
    package func createRouter(
        _ draft: RouterDraft, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> RouterID {
        try quotas.claim("router", for: draft.project, in: transaction)
        try checkZones(draft.zoneHints, in: transaction)
        var router = RouterRecord(id: newID(), project: draft.project, standard: Standard(createdAt: now))
        router.zoneHints = draft.zoneHints
        apply(draft.change, to: &router)
        try routers.table.insert(router, in: transaction)
        if case .network(let request)? = draft.change.gateway {
            try setGateway(request, of: &router, viewer: viewer, at: now, in: transaction)
            try routers.table.update(router, at: now, in: transaction)
            try settle(router.id, at: now, in: transaction)
        }
        return router.id
    }

    private func apply(_ change: RouterChange, to router: inout RouterRecord) {
        router.standard.name = change.name ?? router.standard.name
        router.standard.description = change.description ?? router.standard.description
        router.isAdminUp = change.isAdminUp ?? router.isAdminUp
    }

    private func checkZones(_ hints: [String], in reader: any SQLReader) throws {
        guard !hints.isEmpty else { return }
        let known = Set(try directory.nodes(in: reader).compactMap(\.report?.availabilityZone))
        for hint in hints where !known.contains(hint) {
            throw APIError.notFound(
                "AvailabilityZone \(hint) could not be found.", type: "AvailabilityZoneNotFound")
        }
    }

    package func updateRouter(
        _ id: RouterID, _ change: RouterChange, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard var router = try routers.find(id, in: transaction) else { throw APIError.routerNotFound(id.text) }
        apply(change, to: &router)
        switch change.gateway {
        case nil: break
        case .some(.none): try clearGateway(of: &router, at: now, in: transaction)
        case .network(let request)?: try setGateway(request, of: &router, viewer: viewer, at: now, in: transaction)
        }
        if let routes = change.routes {
            try quotas.claim("router_route", routes.count, for: router.project, in: transaction)
            router.routes = routes
        }
        if change.routes != nil || change.gateway != nil { try checkRoutes(of: router, in: transaction) }
        try routers.table.update(router, at: now, in: transaction)
        // Its name is the API's alone.
        guard change.isAdminUp != nil || change.gateway != nil || change.routes != nil else { return }
        try settle(id, at: now, in: transaction)
    }

    /// Each route leads to a neighbour in one of the router's networks.
    private func checkRoutes(of router: RouterRecord, in reader: any SQLReader) throws {
        guard !router.routes.isEmpty else { return }
        let addresses = try routers.ports(of: router.id, in: reader).flatMap(\.fixedIPs)
        let prefixes = try subnets.table.find(addresses.map(\.subnet), in: reader).map(\.prefix)
        try RouterChecks.routes(router.routes, through: prefixes, own: addresses.map(\.address))
    }

    /// Adds to a router's routes, or takes some of them away.
    package func changeRoutes(
        of id: RouterID, _ routes: [HostRoute], adding: Bool, viewer: Viewer, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard let router = try routers.find(id, in: transaction) else { throw APIError.routerNotFound(id.text) }
        var change = RouterChange()
        change.routes =
            adding
            ? RouterChecks.adding(routes, to: router.routes) : RouterChecks.removing(routes, from: router.routes)
        try updateRouter(id, change, viewer: viewer, at: now, in: transaction)
    }

    package func deleteRouter(_ id: RouterID, at now: Int64, in transaction: any SQLTransaction) throws {
        guard var router = try routers.find(id, in: transaction) else { throw APIError.routerNotFound(id.text) }
        let attached = try routers.ports(of: id, .interface, in: transaction)
        guard attached.isEmpty else { throw APIError.routerInUse(id, attached.map(\.id)) }
        try clearGateway(of: &router, at: now, in: transaction)
        try unsettle(id, at: now, in: transaction)
        try routers.table.remove(id, in: transaction)
    }

    /// Deletes a router that goes with its project: with all that hangs on it.
    func dropRouter(_ id: RouterID, at now: Int64, in transaction: any SQLTransaction) throws {
        for item in try floatingIPs.ofRouter(id, in: transaction) {
            try releaseFloatingIP(item, at: now, in: transaction)
        }
        for port in try routers.ports(of: id, .interface, in: transaction) {
            try removeRouterPort(port, at: now, in: transaction)
        }
        try deleteRouter(id, at: now, in: transaction)
    }
}
