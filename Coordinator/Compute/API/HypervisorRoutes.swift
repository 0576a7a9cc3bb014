import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// `/os-hypervisors`: the hosts, for administrators.
struct HypervisorRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        let path = "/v2.1/os-hypervisors"
        return [
            Route(.get, path) { try await list($0, isDetail: false) }.askingCompute("os-hypervisors:list"),
            Route(.get, path + "/detail") { try await list($0, isDetail: true) }
                .askingCompute("os-hypervisors:list-detail"),
            Route(.get, path + "/statistics", handler: statistics).askingCompute("os-hypervisors:statistics"),
            Route(.get, path + "/{id}", handler: show).askingCompute("os-hypervisors:show"),
            Route(.get, path + "/{id}/uptime", handler: uptime).askingCompute("os-hypervisors:uptime"),
            Route(.get, path + "/{id}/search", handler: search).askingCompute("os-hypervisors:search"),
            Route(.get, path + "/{id}/servers", handler: servers).askingCompute("os-hypervisors:servers")
        ]
    }

    /// A host with what lives on it.
    struct Subject: Sendable {
        var node: Node
        var load: NodeLoad
        var residents: [(id: ServerID, name: String)]?
    }

    private func read(_ call: APICall, rule: String, withServers: Bool) async throws -> [Subject] {
        try call.authorizeCompute("os-hypervisors:\(rule)")
        let parts = parts
        return try await call.database.read { reader in
            let load = try parts.servers.load(in: reader)
            return try parts.directory.nodes(in: reader).filter(\.runsServers).map { node in
                Subject(
                    node: node, load: load[node.id] ?? NodeLoad(),
                    residents: withServers ? try parts.servers.residents(of: node.id, in: reader) : nil)
            }
        }
    }

    private static func wantsServers(_ call: APICall) throws -> Bool {
        try call.microversion.has(53) && Nova.flag("with_servers", call)
    }

    private static let filters: Set<String> = ["hypervisor_hostname_pattern", "with_servers"]

    private func list(_ call: APICall, isDetail: Bool) async throws -> APIResponse {
        let version = call.microversion
        var hosts = try await read(
            call, rule: isDetail ? "list-detail" : "list", withServers: try Self.wantsServers(call))
        let pattern = version.has(53) ? call.query("hypervisor_hostname_pattern") : nil
        let isPaged = version.has(33) && pattern == nil
        let dialect = Nova.list(call, most: parts.settings.pageLimit, isPaged: isPaged, strictFrom: 53)
        let query = try dialect.read(Nova.query(call, isPaged: isPaged), isFilter: Self.filters.contains)
        if let pattern {
            guard call.query("limit") == nil, call.query("marker") == nil else {
                throw APIError.badRequest(
                    "Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.")
            }
            hosts = try matching(pattern, hosts)
        } else if isPaged {
            hosts = try dialect.found { try Self.page(hosts, query, version) }
        }
        let view = HypervisorView(version: version)
        let identities = hosts.map { version.has(53) ? $0.node.id.text : String($0.node.number) }
        let page = ListPage(collection: "hypervisors", identities: identities, query: query)
        return dialect.answer(page, hosts.map { view.render($0, isDetail: isDetail) }, call)
    }

    private static func page(_ hosts: [Subject], _ query: ListQuery, _ version: Microversion) throws -> [Subject] {
        var start = 0
        if let marker = query.marker {
            guard let index = hosts.firstIndex(where: { hasID(marker, $0.node, version) }) else {
                throw UnknownMarker(marker: marker)
            }
            start = index + 1
        }
        return Array(hosts.dropFirst(start).prefix(query.limit ?? hosts.count))
    }

    private static func hasID(_ text: String, _ node: Node, _ version: Microversion) -> Bool {
        version.has(53) ? NodeID(text) == node.id : Int(text) == node.number
    }

    private func matching(_ pattern: String, _ hosts: [Subject]) throws -> [Subject] {
        let found = hosts.filter { $0.node.hostname.contains(pattern) }
        guard !found.isEmpty else {
            throw APIError.notFound("No hypervisor matching '\(pattern)' could be found.")
        }
        return found
    }

    private func find(_ call: APICall, rule: String, withServers: Bool = false) async throws -> Subject {
        let id = call.parameter("id")
        let hosts = try await read(call, rule: rule, withServers: withServers)
        if call.microversion.has(53), NodeID(id) == nil { throw APIError.badRequest("Invalid uuid \(id)") }
        guard let host = hosts.first(where: { Self.hasID(id, $0.node, call.microversion) }) else {
            throw APIError.notFound("Hypervisor with ID '\(id)' could not be found.")
        }
        return host
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let host = try await find(call, rule: "show", withServers: try Self.wantsServers(call))
        return .json(["hypervisor": HypervisorView(version: call.microversion).render(host, isDetail: true)])
    }

    @Sendable private func uptime(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(!call.microversion.has(88))
        let host = try await find(call, rule: "uptime")
        guard case .object(var out) = HypervisorView(version: call.microversion).render(host, isDetail: false),
            let uptime = HypervisorView.uptime(host.node, at: call.now)
        else {
            throw APIError.badRequest("Compute service of \(host.node.hostname) is unavailable at this time.")
        }
        out["uptime"] = .string(uptime)
        return .json(["hypervisor": .object(out)])
    }

    @Sendable private func search(_ call: APICall) async throws -> APIResponse {
        try await matchingList(call, rule: "search", withServers: false)
    }

    @Sendable private func servers(_ call: APICall) async throws -> APIResponse {
        try await matchingList(call, rule: "servers", withServers: true)
    }

    private func matchingList(_ call: APICall, rule: String, withServers: Bool) async throws -> APIResponse {
        try call.requireVersion(!call.microversion.has(53))
        let hosts = try matching(
            call.parameter("id"), try await read(call, rule: rule, withServers: withServers))
        let view = HypervisorView(version: call.microversion)
        return .json(["hypervisors": .array(hosts.map { view.render($0, isDetail: false) })])
    }

    @Sendable private func statistics(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(!call.microversion.has(88))
        let hosts = try await read(call, rule: "statistics", withServers: false).filter { $0.node.isEnabled }
        var sums: [String: Int] = [:]
        for host in hosts {
            for (name, value) in HypervisorView.figures(host) { sums[name, default: 0] += value }
        }
        sums["count"] = hosts.count
        for (name, _) in HypervisorView.figures(nil) where sums[name] == nil { sums[name] = 0 }
        return .json(["hypervisor_statistics": .object(sums.mapValues { JSON($0) })])
    }
}
