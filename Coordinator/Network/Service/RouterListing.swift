import CoordinatorPlatform
import ProtocolModel

/// Routers and floating IPs as callers see them.
extension NetworkService {
    var routerListing: Listing<RouterRecord> {
        Listing(
            schema: .routers, visible: { $0.visibleRouters },
            complete: { try tagged(try zoned(try routers.complete($0, in: $1), in: $1), \.id, in: $1) },
            missing: APIError.routerNotFound)
    }

    /// Adds the zones of the nodes that the routers are on.
    private func zoned(_ found: [RouterRecord], in reader: any SQLReader) throws -> [RouterRecord] {
        let places = try routers.places.find(found.map(\.id), in: reader)
        guard !places.isEmpty else { return found }
        let zones = Dictionary(
            try directory.nodes(in: reader).map { ($0.id, $0.report?.availabilityZone) },
            uniquingKeysWith: { first, _ in first })
        let nodes = Dictionary(places.map { ($0.router, $0.node) }, uniquingKeysWith: { first, _ in first })
        return found.map { router in
            var router = router
            router.zone = nodes[router.id].flatMap { zones[$0] ?? nil }
            return router
        }
    }

    var floatingIPListing: Listing<FloatingIPRecord> {
        Listing(
            schema: .floatingIPs, visible: { $0.visibleFloatingIPs },
            complete: { try tagged(try floatingIPs.complete($0, in: $1), \.id, in: $1) },
            missing: APIError.floatingIPNotFound)
    }
}
