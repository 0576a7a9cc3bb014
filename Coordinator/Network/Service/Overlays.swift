import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

extension NetworkRecord {
    var isOverlay: Bool { if case .vxlan = attachment { true } else { false } }
}

/// Networks inside tunnels between nodes: each node is told where the ports on the others are, for none of them learns it.
extension NetworkService {
    /// Ports of the network came, went or changed their addresses.
    func overlayChanged(_ id: NetworkID, in transaction: any SQLTransaction) throws {
        guard let network = try networks.find(id, in: transaction), network.isOverlay else { return }
        // Also where it was, which knows its own ports: with many nodes, one line says it to all of them.
        try plan.touch(.network(id), in: transaction)
    }

    /// Keeps a node's tunnel address, and tells the others where its ports are from now on.
    func tunnelReported(_ address: IPAddress?, by node: NodeID, in transaction: any SQLTransaction) throws {
        let known = try overlays.tunnels.find(node, in: transaction)
        guard known?.address != address else { return }
        if let address, var record = known {
            record.address = address
            try overlays.tunnels.update(record, in: transaction)
        } else if let address {
            try overlays.tunnels.insert(TunnelRecord(node: node, address: address), in: transaction)
        } else {
            try overlays.tunnels.delete(node, in: transaction)
        }
        for network in try overlays.networks(on: node, in: transaction) {
            try overlayChanged(network, in: transaction)
        }
    }

    /// An identifier for a tenant's network: drawn, so that two that are made at once hardly ever want the same, and
    /// looked for in order once that finds none.
    func freeVNI(in reader: any SQLReader) throws -> Int? {
        var generator = random
        for _ in 0..<8 {
            guard let drawn = settings.vniRanges.identifier(at: generator.next()) else { return nil }
            if try !overlays.isTaken(drawn, in: reader) { return drawn }
        }
        return settings.vniRanges.lowestFree(try overlays.taken(in: reader))
    }

    /// What a tenant's network is made of that does not say.
    func tenantAttachment(in reader: any SQLReader) throws -> NetworkSpec.Attachment {
        for type in settings.tenantNetworkTypes {
            switch type {
            case .local: return .local
            case .vxlan: if let vni = try freeVNI(in: reader) { return .vxlan(vni: vni) }
            }
        }
        throw APIError.noNetworkAvailable
    }

    /// An overlay network with the identifier that was asked for, or any.
    func overlayAttachment(
        _ vni: Int?, physicalNetwork: String?, in reader: any SQLReader
    ) throws -> NetworkSpec.Attachment {
        if physicalNetwork != nil {
            throw APIError.invalidInput("provider:physical_network specified for vxlan network")
        }
        guard let vni else {
            guard let free = try freeVNI(in: reader) else { throw APIError.noNetworkAvailable }
            return .vxlan(vni: free)
        }
        guard OverlayRanges.all.contains(vni) else {
            throw APIError.invalidInput(
                "segmentation_id out of range (\(OverlayRanges.all.lowerBound) through \(OverlayRanges.all.upperBound))"
            )
        }
        if try overlays.isTaken(vni, in: reader) { throw APIError.tunnelInUse(vni) }
        return .vxlan(vni: vni)
    }
}
