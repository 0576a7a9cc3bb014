import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Keeps the nodes' plans in step with the ports: a node has a port's network and groups as long as it has the port, and
/// the groups that rules of those refer to.
extension NetworkService {
    /// Puts a port that is bound nowhere on the node's plan.
    func plan(_ port: PortRecord, on node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let network = try networks.find(port.network, in: transaction) else {
            throw APIError.networkNotFound(port.network.text)
        }
        // The first guest on a node brings DHCP and metadata along, also where a router has the network already.
        if try !ports.hasGuest(of: network.id, on: node, in: transaction) {
            if try ensureServicePort(of: network, at: now, in: transaction) {
                try plan.touch(.network(network.id), in: transaction)
            }
            try plan.put(.network(network.id), on: node, in: transaction)
        }
        try planGroups(port.groups, of: port.id, on: node, in: transaction)
        try plan.put(.port(port.id), on: node, in: transaction)
        if network.isOverlay { try overlayChanged(network.id, in: transaction) }
    }

    /// Takes a port off the node's plan; network and groups go with the last port that needs them. To be called while
    /// the port's row still names the node; clears it there.
    func unplan(_ port: PortRecord, from node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        try takeOff(.port(port.id), node, transaction)
        var port = port
        port.node = nil
        port.host = ""
        port.status = .down
        try ports.table.update(port, at: now, in: transaction)
        try members.setNode(nil, of: port.id, in: transaction)
        if try !ports.hasPort(of: port.network, on: node, in: transaction) {
            try takeOff(.network(port.network), node, transaction)
        } else if try !ports.hasGuest(of: port.network, on: node, in: transaction) {
            // Still there for a router, which needs none of what is served to guests.
            try plan.put(.network(port.network), on: node, in: transaction)
        }
        try overlayChanged(port.network, in: transaction)
        try unplanGroups(port.groups, from: node, in: transaction)
    }

    /// Puts what the groups need on the node, then marks the port's memberships as of the node.
    func planGroups(
        _ wanted: [SecurityGroupID], of port: PortID, on node: NodeID, in transaction: any SQLTransaction
    ) throws {
        let fresh = try wanted.filter { try !members.hasMember($0, on: node, in: transaction) }
        if !fresh.isEmpty {
            let remotes = try rules.remotes(of: fresh, in: transaction)
            for group in Set(fresh).union(remotes) where try !isNeeded(group, on: node, in: transaction) {
                try plan.put(.securityGroup(group), on: node, in: transaction)
            }
            // A group that was there for its members alone now gets its rules.
            for group in fresh where try rules.isReferredTo(group, on: node, in: transaction) {
                try plan.put(.securityGroup(group), on: node, in: transaction)
            }
        }
        try members.setNode(node, of: port, in: transaction)
    }

    /// Takes those of the groups, and of the groups they refer to, off the node that no port there needs any more.
    func unplanGroups(_ candidates: [SecurityGroupID], from node: NodeID, in transaction: any SQLTransaction) throws {
        let gone = try candidates.filter { try !members.hasMember($0, on: node, in: transaction) }
        guard !gone.isEmpty else { return }
        for group in Set(gone).union(try rules.remotes(of: gone, in: transaction)) {
            if try isNeeded(group, on: node, in: transaction) {
                // Still there for its members: its rules go.
                if gone.contains(group) { try plan.put(.securityGroup(group), on: node, in: transaction) }
            } else {
                try takeOff(.securityGroup(group), node, transaction)
            }
        }
    }

    /// A node that was removed took its plan along.
    func takeOff(_ key: ResourceKey, _ node: NodeID, _ transaction: any SQLTransaction) throws {
        do { try plan.remove(key, from: node, in: transaction) } catch FleetError.unknownNode {}
    }

    /// Whether a port on the node is in the group, or in one with a rule that refers to it.
    func isNeeded(_ group: SecurityGroupID, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        if try members.hasMember(group, on: node, in: reader) { return true }
        return try rules.isReferredTo(group, on: node, in: reader)
    }

    /// Addresses came to or left these groups. Nodes care only where a rule refers to the group.
    func membersChanged(_ changed: [SecurityGroupID], in transaction: any SQLTransaction) throws {
        var generator = random
        for group in changed {
            try groups.setMembersVersion(Int64(bitPattern: generator.next()), of: group, in: transaction)
        }
        for group in changed where try rules.isReferredTo(group, in: transaction) {
            try plan.touch(.securityGroup(group), in: transaction)
        }
    }
}
