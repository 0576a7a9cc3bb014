import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Choosing and taking a host for a server.
struct HostChoice: Sendable {
    let parts: ComputeParts

    /// Claims a host and records why it was chosen; without one, `server.host` is left as it is.
    /// - Parameters:
    ///   - hostname: The only host it may be, whatever was asked for when the server was made.
    ///   - among: What else it may be, for what the server does not have yet.
    func claim(
        _ server: inout ServerRecord, on hostname: String? = nil, among: [PlacementRequest.Hosts] = [], at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> PlacementDecision {
        let decision = try decide(server, on: hostname, among: among, at: now, in: transaction)
        if let action = server.actionID {
            try parts.actions.add(decision, to: action, server: server.id, at: now, in: transaction)
            let event = HostedEvent(
                name: "schedule", host: decision.host?.hostname ?? "", startedAt: now, finishedAt: now,
                result: decision.host == nil ? "Error" : "Success", details: decision.summary)
            try parts.log.add(event, to: action, in: transaction)
        }
        if let host = decision.host {
            let zone = host.availabilityZone
            server.host = ServerHost(
                node: host.node, hostname: host.hostname, zone: zone.isEmpty ? parts.settings.defaultZone : zone)
        }
        return decision
    }

    /// What no host carries out leaves none: it is not forgotten.
    private func decide(
        _ server: ServerRecord, on hostname: String?, among: [PlacementRequest.Hosts], at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> PlacementDecision {
        let flavor = server.flavor
        let unmet = FlavorDemands.unmet(flavor.extraSpecs, vcpus: flavor.vcpus, image: server.image.properties)
        guard unmet.isEmpty else {
            let summary = "no host here carries out \(unmet.joined(separator: ", ")): choose another flavor or image"
            return PlacementDecision(host: nil, groups: [], summary: summary)
        }
        var request = try request(for: server, in: transaction)
        request.among += among
        if let hostname {
            request.host = hostname
            request.excluded = [:]
        }
        return try parts.placement.claim(request, at: now, in: transaction)
    }

    /// What the server needs of a host, in placement's words.
    private func request(for server: ServerRecord, in reader: any SQLReader) throws -> PlacementRequest {
        let flavor = server.flavor
        var request = PlacementRequest(
            consumer: PlacementRequest.Consumer(
                id: server.id.cast(), type: "INSTANCE", project: server.project, user: server.user),
            resources: [
                ResourceClass.vcpu: flavor.vcpus, ResourceClass.memory: flavor.memoryMiB,
                ResourceClass.disk: Self.diskGiB(of: server)
            ], role: .compute)
        let wishes = HardwareWishes.read(extraSpecs: flavor.extraSpecs, image: server.image.properties)
        request.resources.merge(wishes.resources) { $1 }
        request.required = wishes.required
        request.forbidden = wishes.forbidden
        request.availabilityZone = server.pinnedZone
        request.host = server.pinnedHost
        request.physicalNetworks = try parts.network.physicalNetworks(of: server.id, in: reader)
        if server.image.properties["hw_firmware_type"] == "uefi" { request.required.insert(Trait.uefi) }
        request.excluded = server.excluded
        AggregateRules.apply(
            try parts.aggregates.all(in: reader), extraSpecs: flavor.extraSpecs, project: server.project, to: &request)
        request.group = try parts.groups.group(of: server.id, in: reader)?.placement
        try apply(try hints(of: server), of: server, to: &request, in: reader)
        try stay(with: server, &request, in: reader)
        return request
    }

    /// A server goes where its volumes can be reached.
    private func stay(
        with server: ServerRecord, _ request: inout PlacementRequest, in reader: any SQLReader
    ) throws {
        let held = try parts.volumes.attachments(of: [server.id], in: reader)[server.id] ?? []
        guard !held.isEmpty else { return }
        for volume in try parts.volumes.volumes(held.map(\.volume), in: reader).values where !volume.isExportable {
            guard let node = volume.node else { continue }
            request.among.append(
                .init([node], reason: "not the host of volume \(volume.id), which no other host reaches"))
        }
    }

    private func hints(of server: ServerRecord) throws -> SchedulerHints {
        guard server.schedulerHints != "{}", case .object(let hints) = try JSON.parse(server.schedulerHints) else {
            return SchedulerHints()
        }
        return SchedulerHints(hints)
    }

    /// Servers of other projects are nobody's neighbours, whoever names them.
    private func apply(
        _ hints: SchedulerHints, of server: ServerRecord, to request: inout PlacementRequest, in reader: any SQLReader
    ) throws {
        func hosts(_ ids: [String]) throws -> Set<NodeID> {
            let named = try parts.servers.find(ids.compactMap { ServerID($0) }, in: reader)
            return Set(named.filter { $0.project == server.project }.compactMap(\.host?.node))
        }
        if !hints.sameHost.isEmpty {
            request.among.append(
                .init(try hosts(hints.sameHost), reason: "not the host of a server that it is to be with (same_host)"))
        }
        for node in try hosts(hints.differentHost) {
            request.apart[node] = "the host of a server that it is to be apart from (different_host)"
        }
        if let near = hints.near {
            let nodes = try parts.directory.nodes(in: reader).filter { node in
                node.report?.tunnelAddress.map { near.contains($0) } ?? false
            }
            request.among.append(.init(Set(nodes.map(\.id)), reason: "has no address in \(near) (build_near_host_ip)"))
        }
    }

    /// Binds the ports to the claimed host and puts the server on its plan.
    func occupy(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard server.host != nil else { return }
        try bind(server, at: now, in: transaction)
        try parts.workflow.occupy(&server, task: .networking, at: now, in: transaction)
    }

    func bind(_ server: ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let host = server.host else { return }
        try parts.network.bindPorts(of: server.id, to: host.node, availabilityZone: host.zone, at: now, in: transaction)
        for attachment in try parts.volumes.attachments(of: [server.id], in: transaction)[server.id] ?? [] {
            _ = try parts.volumes.attach(
                attachment.id, on: host.node, hostname: host.hostname, at: now, in: transaction)
        }
    }

    /// Swap counts in whole GiB, as placement does; a flavor without a root size takes what the image needs.
    /// What starts from a volume has no root disk there.
    static func diskGiB(of server: ServerRecord) -> Int {
        let flavor = server.flavor
        let gib: Int64 = 1 << 30
        let image = Int((server.image.virtualSizeBytes + gib - 1) / gib)
        let root = server.isVolumeBacked ? 0 : flavor.rootGiB > 0 ? flavor.rootGiB : image
        return root + flavor.ephemeralGiB + (flavor.swapMiB + 1023) / 1024
    }
}
