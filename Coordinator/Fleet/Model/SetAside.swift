import ProtocolModel

/// An entry that its node is not sent, while all others are.
package struct SetAside: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// The node's agent does not know the kind.
        case unknownKind
        /// The spec has more bytes than an entry may, or there is no more room in the plan.
        case tooLarge(bytes: Int)
    }

    package var key: ResourceKey
    package var generation: Int64
    package var isWanted: Bool
    package var reason: Reason

    package init(key: ResourceKey, generation: Int64, isWanted: Bool, reason: Reason) {
        self.key = key
        self.generation = generation
        self.isWanted = isWanted
        self.reason = reason
    }

    /// What the kind's consumer hears instead of the agent.
    /// - Parameter agentVersion: The release of the node's agent.
    func error(agentVersion: String) -> StatusError {
        switch reason {
        case .unknownKind:
            StatusError(
                code: .unsupported,
                message: "The host's agent is of release \(agentVersion), which does not know this kind of resource: "
                    + "upgrade it to release \(Release.version), or use another host.",
                detail: "\(key.kind) (kind \(key.kind.rawValue) of plan entries) is not known to the agent")
        case .tooLarge(let bytes):
            StatusError(
                code: .unsupported, message: Self.tooLarge,
                detail: "\(key): \(bytes) bytes, \(PlanBudget.entryBytes) at most")
        }
    }

    static let tooLarge = "What the host has to be told of this is too large to be sent: make it smaller."
}
