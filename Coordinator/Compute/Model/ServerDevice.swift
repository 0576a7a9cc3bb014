import ProtocolModel

/// What compute knows of a device of a server beside what the service does that owns it: the tag it was given, and what
/// is being done with it.
package struct ServerDevice: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case port, volume
    }

    /// A change that the server's host has not carried out yet. Each has a deadline.
    package enum Change: String, Sendable, Hashable, CaseIterable {
        case attach, detach

        /// How long the host may take, in seconds. A guest that is asked to let a device go has to answer, too.
        package var allowedSeconds: Int64 { 180 }

        /// The action's name.
        package func name(_ kind: Kind) -> String { "\(rawValue)_\(kind == .port ? "interface" : "volume")" }
    }

    package var number: Int64 = 0
    package var server: ServerID
    package var kind: Kind
    package var device: AnyID
    package var tag: String?
    package var change: Change?
    /// The generation of the server's plan entry that asks for the change.
    package var generation: Int64 = 0
    /// Microseconds since 1970.
    package var deadline: Int64?
    /// The instance action that the change is a part of.
    package var action: Int64?

    package init(server: ServerID, kind: Kind, device: AnyID, tag: String? = nil) {
        self.server = server
        self.kind = kind
        self.device = device
        self.tag = tag
    }

    // MARK: Ways out

    /// What became of a change.
    package enum Outcome: Sendable, Hashable {
        case pending
        case attached
        /// It failed, and the host may have it all the same, or tries again until it hears otherwise: it is to be taken
        /// off first.
        case doubtful
        case detached
        /// The guest has it still, and keeps it.
        case kept
    }

    /// - Parameters:
    ///   - generation: Of the plan entry that the host speaks of.
    ///   - isPresent: Whether the guest has the device; `nil` where the host does not say.
    package func outcome(_ phase: ResourceStatus.Phase, generation: Int64, isPresent: Bool?) -> Outcome {
        guard let change, generation >= self.generation else { return .pending }
        return switch (change, phase, isPresent) {
        case (.attach, .ready, _), (.attach, .failed, true?): .attached
        case (.attach, .failed, false?), (.attach, .failed, nil): .doubtful
        case (.detach, .ready, false?), (.detach, .ready, nil), (.detach, .failed, false?): .detached
        case (.detach, .failed, _): .kept
        case (.attach, _, _), (.detach, _, _): .pending
        }
    }

    /// What becomes of a change that the host did not get to: what is wanted stays wanted, what would not go stays.
    package var overdue: Outcome { change == .detach ? .kept : .attached }
}
