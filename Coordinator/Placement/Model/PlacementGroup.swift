import ProtocolModel

/// Consumers that are to be kept together or apart.
public struct PlacementGroup: Sendable, Hashable {
    public enum Policy: String, Sendable, Hashable, CaseIterable {
        /// On one host.
        case affinity
        /// On different hosts.
        case antiAffinity = "anti-affinity"
        /// The same as far as hosts have room.
        case softAffinity = "soft-affinity"
        case softAntiAffinity = "soft-anti-affinity"
    }

    public var id: AnyID
    public var policy: Policy
    /// Consumers that may be on one host where they are to be apart; at least 1.
    public var mostPerHost: Int

    public init(id: AnyID, policy: Policy, mostPerHost: Int = 1) {
        self.id = id
        self.policy = policy
        self.mostPerHost = max(1, mostPerHost)
    }

    /// What the group asks of the host of one more consumer.
    /// - Parameter members: How many others there are of it, by host.
    package func apply(to request: inout PlacementRequest, members: [NodeID: Int]) {
        switch policy {
        case .affinity where !members.isEmpty:
            request.among.append(
                PlacementRequest.Hosts(Set(members.keys), reason: "not the host of the others of its server group"))
        case .affinity: break
        case .antiAffinity:
            for (node, count) in members where count >= mostPerHost {
                request.apart[node] =
                    mostPerHost == 1
                    ? "has another of the server group" : "has \(count) of the server group (at most \(mostPerHost))"
            }
        case .softAffinity: request.leaning = PlacementRequest.Leaning(members: members, isTogether: true)
        case .softAntiAffinity: request.leaning = PlacementRequest.Leaning(members: members, isTogether: false)
        }
    }
}

extension PlacementRequest {
    /// Aggregates that are not for everybody.
    public struct Isolation: Sendable, Hashable {
        /// A host of these is for those alone who are let in.
        public var closed: Set<String> = []
        /// Those of them that let the consumer in.
        public var open: Set<String> = []

        public init() {}

        func keepsOut(of aggregates: Set<String>) -> Bool {
            !closed.isDisjoint(with: aggregates) && open.isDisjoint(with: aggregates)
        }
    }

    /// Hosts of which only one will do.
    public struct Hosts: Sendable, Hashable {
        public var nodes: Set<NodeID>
        /// Why another one will not.
        public var reason: String

        public init(_ nodes: Set<NodeID>, reason: String) {
            self.nodes = nodes
            self.reason = reason
        }
    }

    /// Hosts that are better or worse for what they have already.
    public struct Leaning: Sendable, Hashable {
        /// How many of them a host has.
        public let members: [NodeID: Int]
        /// Whether more of them are better.
        public let isTogether: Bool
        private let most: Int

        public init(members: [NodeID: Int], isTogether: Bool) {
            self.members = members
            self.isTogether = isTogether
            most = members.values.max() ?? 0
        }

        /// From 0 to 1.
        func share(of node: NodeID) -> Double {
            guard most > 0 else { return 0 }
            let share = Double(members[node] ?? 0) / Double(most)
            return isTogether ? share : 1 - share
        }
    }
}
