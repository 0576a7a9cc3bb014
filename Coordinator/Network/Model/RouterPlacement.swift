import ProtocolModel

/// Decides which node routes for a router. Pure: the same input always gives the same node.
package enum RouterPlacement {
    package struct Candidate: Sendable, Hashable {
        package var node: NodeID
        /// In order of insertion, for a choice between equals.
        package var number: Int
        /// It has the role, and an agent that knows routers.
        package var canRoute = true
        package var isUp = true
        package var isDown = false
        /// Gets new things.
        package var isEnabled = true
        package var zone = ""
        package var physicalNetworks: Set<String> = []
        /// It takes part in overlay networks.
        package var hasTunnel = true
        /// Routers that it has.
        package var load = 0

        package init(node: NodeID, number: Int) {
            self.node = node
            self.number = number
        }
    }

    package struct Demand: Sendable, Hashable {
        package var physicalNetworks: Set<String>
        /// Any without one.
        package var zones: [String]
        package var needsTunnel: Bool
        /// Nodes with guests in networks of the router's that no other node reaches.
        package var guests: Set<NodeID>

        package init(
            physicalNetworks: Set<String> = [], zones: [String] = [], needsTunnel: Bool = false,
            guests: Set<NodeID> = []
        ) {
            self.physicalNetworks = physicalNetworks
            self.zones = zones
            self.needsTunnel = needsTunnel
            self.guests = guests
        }
    }

    /// - Parameter current: Where the router is. It stays there while that node can have it, whatever others have, and
    ///   where no other can.
    /// - Returns: `nil` when no node can have it.
    package static func node(for demand: Demand, among candidates: [Candidate], current: NodeID?) -> NodeID? {
        let present = candidates.first { $0.node == current }
        if let present, fits(present, demand), !present.isDown { return present.node }
        let able = candidates.filter { fits($0, demand) && $0.isUp && $0.isEnabled }
        return able.min { rank($0, demand) < rank($1, demand) }?.node ?? present?.node
    }

    private static func fits(_ candidate: Candidate, _ demand: Demand) -> Bool {
        candidate.canRoute && demand.physicalNetworks.isSubset(of: candidate.physicalNetworks)
            && (demand.zones.isEmpty || demand.zones.contains(candidate.zone))
    }

    /// Where the guests are that have no other way comes first. A node without tunnels can still route between guests of
    /// its own, so it is the last that is asked.
    private static func rank(_ candidate: Candidate, _ demand: Demand) -> (Int, Int, Int, Int) {
        (
            demand.guests.contains(candidate.node) ? 0 : 1, demand.needsTunnel && !candidate.hasTunnel ? 1 : 0,
            candidate.load, candidate.number
        )
    }
}
