import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/network-ip-availabilities`: how many addresses there are and how many are in use.
struct AvailabilityRoutes: Sendable {
    let service: NetworkService

    var routes: [Route] {
        [
            Route(.get, "/v2.0/network-ip-availabilities", handler: list)
                .asking("get_network_ip_availability"),
            Route(.get, "/v2.0/network-ip-availabilities/{id}", handler: show)
                .asking("get_network_ip_availability")
        ]
    }

    /// Counts of IPv6 addresses do not fit 64 bits.
    private static func number(_ value: UInt128) -> JSON { .raw(Array(String(value).utf8)) }

    private func view(
        _ network: NetworkRecord, ipVersion: Int?, in reader: any SQLReader
    ) throws -> View.Members {
        let counts = try service.availability(in: network.id, in: reader).filter {
            ipVersion == nil || $0.subnet.prefix.family.rawValue == ipVersion
        }
        return [
            "network_id": JSON(network.id.text), "network_name": JSON(network.standard.name),
            "project_id": JSON(network.project.compact), "tenant_id": JSON(network.project.compact),
            "total_ips": Self.number(counts.reduce(0) { $0 + $1.total }),
            "used_ips": Self.number(counts.reduce(0) { $0 + $1.used }),
            "subnet_ip_availability": .array(
                counts.map { item in
                    [
                        "subnet_id": JSON(item.subnet.id.text), "subnet_name": JSON(item.subnet.standard.name),
                        "cidr": JSON(item.subnet.prefix.description),
                        "ip_version": JSON(item.subnet.prefix.family.rawValue), "total_ips": Self.number(item.total),
                        "used_ips": Self.number(item.used)
                    ]
                })
        ]
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        // Who may not see any sees none, rather than being refused.
        guard call.isAllowed("get_network_ip_availability") else { return .json(["network_ip_availabilities": []]) }
        var query = ListQuery()
        for (filter, column) in [
            ("network_id", "id"), ("network_name", "name"), ("project_id", "project_id"), ("tenant_id", "project_id")
        ] {
            let values = call.queryAll(filter)
            if !values.isEmpty { query.filters.append(.init(column, .equal, values)) }
        }
        let wanted = query
        let version = call.query("ip_version").flatMap { Int($0) }
        let views = try await call.database.read { reader in
            try service.networkListing.list(wanted, viewer: .everything, in: reader).map {
                try view($0.record, ipVersion: version, in: reader)
            }
        }
        return .json(["network_ip_availabilities": .array(views.map { Neutron.selected($0, call) })])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        guard call.isAllowed("get_network_ip_availability") else {
            throw APIError.networkNotFound(call.parameter("id"))
        }
        let viewer = Viewer(try call.requireCaller())
        let shown = try await call.database.read { reader in
            let network = try service.networkListing.record(call.parameter("id"), viewer: viewer, in: reader)
            return try view(network, ipVersion: nil, in: reader)
        }
        return .json(["network_ip_availability": Neutron.selected(shown, call)])
    }
}
