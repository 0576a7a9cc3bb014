import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Keeps routers on nodes: a router with ports is on one node that can have it, whose plan has the router and the networks
/// of its ports.
extension NetworkService {
    /// Puts the router where it belongs and tells the node what it is now. To be called after every change of it.
    func settle(_ id: RouterID, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let router = try routers.find(id, in: transaction) else { return }
        let attached = try routers.ports(of: id, in: transaction)
        guard !attached.isEmpty else { return try unsettle(id, at: now, in: transaction) }
        let place = try routers.places.find(id, in: transaction)
        let nodes = try directory.nodes(in: transaction)
        let node = RouterPlacement.node(
            for: try demand(of: router, attached, in: transaction), among: try candidates(nodes, in: transaction),
            current: place?.node)
        guard let node, let host = nodes.first(where: { $0.id == node }) else {
            return try unsettle(id, at: now, in: transaction)
        }
        var next = place ?? RouterPlace(router: id, node: node)
        if let place, place.node != node { try takeOff(.router(id), place.node, transaction) }
        next.isReady = false
        if place?.node != node {
            next.lastError = nil
            try floatingIPs.setStatuses(.down, of: id, at: now, in: transaction)
        }
        next.node = node
        for port in attached { try seat(port, on: node, hostname: host.hostname, at: now, in: transaction) }
        next.planned = try plan.put(.router(id), on: node, in: transaction)
        if place == nil {
            guard try routers.places.insert(next, unlessTaken: "router_id", in: transaction) else {
                throw StoreError.stale("router \(id)")
            }
        } else {
            try routers.places.update(next, in: transaction)
        }
    }

    /// Takes the router off its node.
    func unsettle(_ id: RouterID, at now: Int64, in transaction: any SQLTransaction) throws {
        for port in try routers.ports(of: id, in: transaction) {
            try seat(port, on: nil, hostname: "", at: now, in: transaction)
        }
        guard let place = try routers.places.find(id, in: transaction) else { return }
        try floatingIPs.setStatuses(.down, of: id, at: now, in: transaction)
        try takeOff(.router(id), place.node, transaction)
        try routers.places.delete(id, in: transaction)
    }

    /// Binds one of a router's ports to a node, or to none. The node has its network, and not the port: that is a part of
    /// the router's entry.
    func seat(
        _ port: PortRecord, on node: NodeID?, hostname: String, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard port.node != node else { return }
        let old = port.node
        let hadNetwork = try node.map { try ports.hasPort(of: port.network, on: $0, in: transaction) } ?? true
        var port = port
        port.node = node
        port.host = hostname
        port.status = .down
        try ports.table.update(port, at: now, in: transaction)
        if let old, try !ports.hasPort(of: port.network, on: old, in: transaction) {
            try takeOff(.network(port.network), old, transaction)
        }
        if let node, !hadNetwork { try plan.put(.network(port.network), on: node, in: transaction) }
        try overlayChanged(port.network, in: transaction)
    }

    private func demand(
        of router: RouterRecord, _ attached: [PortRecord], in reader: any SQLReader
    ) throws -> RouterPlacement.Demand {
        let networks = try networks.find(Array(Set(attached.map(\.network))), in: reader)
        return RouterPlacement.Demand(
            physicalNetworks: Set(networks.compactMap(\.physicalNetwork)), zones: router.zoneHints,
            needsTunnel: networks.contains { $0.isOverlay },
            guests: Set(
                try ports.nodes(
                    inLocal: networks.filter { $0.attachment == .local }.map(\.id), except: attached.map(\.id),
                    in: reader)))
    }

    private func candidates(_ nodes: [Node], in reader: any SQLReader) throws -> [RouterPlacement.Candidate] {
        let loads = try routers.loads(in: reader)
        let able = try directory.nodes(knowing: .router, in: reader)
        return nodes.compactMap { node in
            guard let report = node.report else { return nil }
            var candidate = RouterPlacement.Candidate(node: node.id, number: node.number)
            candidate.canRoute = report.roles.contains(.network) && able.contains(node.id)
            candidate.isUp = node.health == .up
            candidate.isDown = node.health == .down
            candidate.isEnabled = node.isEnabled
            candidate.zone = report.availabilityZone
            candidate.physicalNetworks = Set(report.physicalNetworks)
            candidate.hasTunnel = report.tunnelAddress != nil
            candidate.load = loads[node.id] ?? 0
            return candidate
        }
    }

    /// How many routers one pass looks at, and how many it moves: the next pass goes on behind them.
    package static let mostSeen = 1024
    private static let mostMoved = 64

    /// Settles those of the routers that would be somewhere else then, each as a part of its own.
    func settle(
        _ routers: [RouterID], _ failures: PartFailures?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let candidates = try candidates(directory.nodes(in: transaction), in: transaction)
        try transaction.apart(routers, "finding a node for a router", \.text, failures) { id in
            if try moves(id, among: candidates, in: transaction) { try settle(id, at: now, in: transaction) }
        }
    }

    /// Routers that would be somewhere, or somewhere else, if they were settled now: the next ones of the round.
    package func movableRouters(
        _ round: inout RouterRound, seeing limit: Int = mostSeen, in reader: any SQLReader
    ) throws -> [RouterID] {
        let candidates = try candidates(directory.nodes(in: reader), in: reader)
        guard candidates.contains(where: { $0.canRoute && $0.isUp && $0.isEnabled }) else { return [] }
        var movable: [RouterID] = []
        func look(_ page: [(number: Int64, router: RouterID)], _ cursor: inout Int64) throws {
            for (number, id) in page {
                guard movable.count < Self.mostMoved else { return }
                cursor = number
                if try moves(id, among: candidates, in: reader) { movable.append(id) }
            }
            if page.count < limit { cursor = 0 }
        }
        try look(routers.waiting(after: round.waiting, limit: limit, in: reader), &round.waiting)
        // Where one cannot be made, another node may have come that it can be made on.
        let lost = candidates.filter { $0.load > 0 && ($0.isDown || !$0.canRoute) }.map(\.node)
        try look(
            routers.unsettled(after: round.placed, on: lost, limit: limit, in: reader), &round.placed)
        return movable
    }

    private func moves(
        _ id: RouterID, among candidates: [RouterPlacement.Candidate], in reader: any SQLReader
    ) throws -> Bool {
        guard let router = try routers.find(id, in: reader) else { return false }
        let place = try routers.places.find(id, in: reader)?.node
        let demand = try demand(of: router, routers.ports(of: id, in: reader), in: reader)
        return RouterPlacement.node(for: demand, among: candidates, current: place) != place
    }

    /// The nodes of the routers with ports in the network hear of it; where the routers are changes nothing.
    func routersChanged(in network: NetworkID, in transaction: any SQLTransaction) throws {
        for id in try routers.routers(in: network, transaction) { try plan.touch(.router(id), in: transaction) }
    }

    /// The same for those with an address in the subnet.
    func routersChanged(on subnet: SubnetID, in transaction: any SQLTransaction) throws {
        for id in try routers.routers(addressedIn: subnet, transaction) {
            try plan.touch(.router(id), in: transaction)
        }
    }
}
