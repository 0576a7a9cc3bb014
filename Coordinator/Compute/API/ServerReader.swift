import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Gathers what answers show of servers, in few statements however many there are.
struct ServerReader: Sendable {
    let parts: ComputeParts
    let rendered: RenderedServers
    /// Rises with every change of the store; without it, ports are looked up for every list.
    let revision: (@Sendable () -> Int)?

    func subject(of server: ServerRecord, in reader: any SQLReader) throws -> ServerView.Subject {
        let ports = try parts.network.ports(of: [server.id], in: reader)[server.id] ?? []
        let groups = try parts.network.securityGroupNames(of: [server.id], in: reader)[server.id] ?? []
        let status = try server.host.map { try parts.directory.node($0.node, in: reader)?.hostStatus ?? "" } ?? ""
        return ServerView.Subject(
            server: server, ports: ports, groups: groups, tags: try parts.servers.tags.tags(of: server.id, in: reader),
            volumes: try parts.volumes.attachments(of: [server.id], in: reader)[server.id] ?? [],
            serverGroup: try parts.groups.group(of: server.id, in: reader)?.id, hostStatus: status)
    }

    /// The servers of a page, rendered in detail, in their order.
    /// - Parameter revision: ``revision`` as it was before `reader`'s view began.
    func details(
        _ lines: [ServerLine], call: APICall, revision: Int?, in reader: any SQLReader
    ) throws -> [JSON] {
        guard !lines.isEmpty else { return [] }
        let view = ServerView(call)
        let band = ServerView.bands.last { view.version.has($0) } ?? 1
        let shape = rendered.number(of: .init(band: band, isAdmin: view.isAdmin, baseURL: call.baseURL))
        let hostStatus = try view.isAdmin && view.version.has(16) ? hostStatuses(in: reader) : [:]
        var found: [[UInt8]?] = Array(repeating: nil, count: lines.count)
        if let revision {
            found = rendered.find(lines, hostStatus: hostStatus, shape: shape, revision: revision)
        }
        let missing = lines.indices.filter { found[$0] == nil }
        if !missing.isEmpty {
            let fresh = try render(
                missing.map { lines[$0] }, view, hostStatus: hostStatus, shape: shape, revision: revision, in: reader)
            for (index, bytes) in zip(missing, fresh) { found[index] = bytes }
        }
        return found.compactMap { $0.map(JSON.raw) }
    }

    private func hostStatuses(in reader: any SQLReader) throws -> [NodeID: String] {
        let nodes = try parts.directory.nodes(in: reader)
        return Dictionary(nodes.map { ($0.id, $0.hostStatus) }, uniquingKeysWith: { first, _ in first })
    }

    private func render(
        _ lines: [ServerLine], _ view: ServerView, hostStatus: [NodeID: String], shape: Int, revision: Int?,
        in reader: any SQLReader
    ) throws -> [[UInt8]?] {
        let ids = lines.map(\.id)
        let ports = try parts.network.ports(of: ids, in: reader)
        let groups = try parts.network.securityGroupNames(of: ids, in: reader)
        let volumes = try parts.volumes.attachments(of: ids, in: reader)
        let tags = try view.version.has(26) ? parts.servers.tags.tags(of: ids, in: reader) : [:]
        func stamp(_ line: ServerLine) -> RenderedServers.Stamp {
            var hasher = Hasher()
            hasher.combine(ports[line.id])
            hasher.combine(groups[line.id])
            hasher.combine(tags[line.id])
            hasher.combine(volumes[line.id])
            return RenderedServers.Stamp(
                generation: line.generation, hostStatus: line.node.map { hostStatus[$0] ?? "" } ?? "",
                surroundings: hasher.finalize())
        }
        var out = lines.map { rendered.find($0.id, shape: shape, stamp: stamp($0), revision: revision) }
        let missing = lines.indices.filter { out[$0] == nil }
        let records = try parts.servers.find(missing.map { ids[$0] }, in: reader)
        let byID = Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for index in missing {
            let line = lines[index]
            guard let server = byID[line.id] else { continue }
            let stamp = stamp(line)
            let subject = ServerView.Subject(
                server: server, ports: ports[line.id] ?? [], groups: groups[line.id] ?? [], tags: tags[line.id] ?? [],
                volumes: volumes[line.id] ?? [],
                hostStatus: stamp.hostStatus)
            let bytes = view.render(subject, .detail).serialize()
            rendered.keep(bytes, of: line.id, shape: shape, stamp: stamp, revision: revision)
            out[index] = bytes
        }
        return out
    }
}
