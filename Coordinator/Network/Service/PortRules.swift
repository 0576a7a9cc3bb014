import CoordinatorPlatform
import ProtocolModel

/// Ports coming and going, whoever asks.
extension NetworkService {
    /// Inserts the port with its addresses and groups (`port.groups`), unbound.
    func insert(
        _ port: inout PortRecord, isMACGiven: Bool, fixedIPs: [FixedIPRequest]?, in transaction: any SQLTransaction
    ) throws -> PortRecord {
        try insertWithFreeMAC(&port, isMACGiven: isMACGiven, in: transaction)
        port.fixedIPs = try allocate(fixedIPs, for: port, in: transaction)
        try groups.add(port.id, to: port.groups, node: nil, in: transaction)
        if !port.fixedIPs.isEmpty { try membersChanged(port.groups, in: transaction) }
        return port
    }

    /// Takes the port off its node and deletes it with its addresses.
    func remove(_ port: PortRecord, in transaction: any SQLTransaction) throws {
        if let node = port.node {
            try unplan(port, from: node, at: port.standard.updatedAt, in: transaction)
        }
        try ports.delete(port.id, in: transaction)
        if !port.fixedIPs.isEmpty { try membersChanged(port.groups, in: transaction) }
    }
}
