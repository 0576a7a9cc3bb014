import ProtocolModel

/// Decides what one volume needs next. Pure: the same view always gives the same decision.
public enum VolumePlanner {
    /// What is to be known of one volume on this host.
    public struct View: Sendable, Equatable {
        /// Why its pool cannot be looked at or is none of this host's.
        public var poolFailure: StatusError?
        public var stored: StoredVolume?
        /// It was there once: what is missing now is lost, and never made anew.
        public var wasMade: Bool
        /// Whether guests have it; `nil` while nobody can tell.
        public var isInUse: Bool?
        /// What a new one is made from.
        public var source: Readiness
        /// The snapshot it is to go back to is in the pool.
        public var hasReversion: Bool

        public init(
            poolFailure: StatusError? = nil, stored: StoredVolume?, wasMade: Bool = false, isInUse: Bool? = false,
            source: Readiness = .ready(isCurrent: true), hasReversion: Bool = true
        ) {
            self.poolFailure = poolFailure
            self.stored = stored
            self.wasMade = wasMade
            self.isInUse = isInUse
            self.source = source
            self.hasReversion = hasReversion
        }
    }

    public enum Step: String, Hashable, Sendable, CaseIterable {
        case create = "create-volume"
        case finish = "finish-snapshot"
        case revert = "revert-volume"
        case extend = "extend-volume"
        case remove = "remove-volume"
    }

    public struct Decision: Sendable, Equatable {
        public var phase: ResourceStatus.Phase
        public var steps: [Step] = []
        /// What is in the way for now.
        public var error: StatusError?
        /// Given up until the plan changes.
        public var failure: StatusError?
    }

    public static func plan(_ spec: VolumeSpec, _ view: View) -> Decision {
        if let failure = view.poolFailure {
            return failure.isPermanent
                ? Decision(phase: .failed, failure: failure) : Decision(phase: .applying, error: failure)
        }
        guard let stored = view.stored else { return planMaking(spec, view) }
        // Until then nobody can tell which of its parts the guest writes to.
        if stored.isUnfinished { return Decision(phase: .applying, steps: [.finish]) }
        if let reversion = spec.reversion, reversion.version > stored.reversion {
            guard view.hasReversion else { return Decision(phase: .pending) }
            guard view.isInUse == false else {
                return Decision(phase: .applying, error: view.isInUse == true ? .inUse(spec.id) : nil)
            }
            return Decision(phase: .applying, steps: [.revert])
        }
        if stored.sizeBytes < spec.sizeBytes { return Decision(phase: .applying, steps: [.extend]) }
        return Decision(phase: .ready)
    }

    private static func planMaking(_ spec: VolumeSpec, _ view: View) -> Decision {
        if view.wasMade { return Decision(phase: .failed, error: .missingVolume(spec)) }
        switch view.source {
        case .ready, .prepared: return Decision(phase: .applying, steps: [.create])
        case .failed(let error): return Decision(phase: .failed, error: error)
        case .unknown, .waiting: return Decision(phase: .pending)
        }
    }

    /// Nothing of the volume shall be left; no steps and `gone`: nothing is.
    /// - Parameter isNeeded: Something is yet to be made from it.
    public static func planRemoval(isThere: Bool, isInUse: Bool?, isNeeded: Bool, canTell: Bool) -> Decision {
        guard isThere else { return Decision(phase: canTell ? .gone : .applying) }
        guard isInUse == false, !isNeeded else { return Decision(phase: .applying) }
        return Decision(phase: .applying, steps: [.remove])
    }
}

extension VolumeSpec {
    public var sizeBytes: Int64 { Int64(sizeGiB) << 30 }
}

extension StatusError {
    public static func inUse(_ volume: VolumeID) -> StatusError {
        StatusError(
            code: .conflict, message: "A server has the volume: detach it first.", detail: "volume=\(volume)")
    }

    static func missingVolume(_ spec: VolumeSpec) -> StatusError {
        StatusError(
            code: .hostFailure, message: "The volume is missing on its host: ask the operator to bring it back.",
            detail: "volume=\(spec.id) pool=\(spec.pool): is the pool's file system mounted?")
    }

    static func noPool(_ name: String) -> StatusError {
        StatusError(
            code: .unsupported, message: "The host has no storage pool of the volume's: choose another host.",
            detail: "pool=\(name): see storage.pools in the agent's configuration")
    }
}
