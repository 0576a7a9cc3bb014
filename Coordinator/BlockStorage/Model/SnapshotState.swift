import CoordinatorFleet
import ProtocolModel

/// A snapshot's `status`, in the volume API's words.
public enum SnapshotStatus: String, Sendable, Hashable, CaseIterable {
    case creating, available, restoring, deleting, error
    case errorDeleting = "error_deleting"
    case deleted
}

/// What a host does with a snapshot.
public enum SnapshotTask: String, HostedTask, CaseIterable {
    case creating, deleting

    public var allowedSeconds: Int64 { 600 }
    public var purpose: HostedPurpose { self == .creating ? .building : .deleting }
}

/// All that decides what may happen to a snapshot next.
public struct SnapshotState: HostedState {
    public var status: SnapshotStatus
    public var task: SnapshotTask?
    /// The host said that it cannot keep it as it was; what it is to its owner stays.
    public var isFailing: Bool

    public init(
        status: SnapshotStatus = .available, task: SnapshotTask? = .creating, isFailing: Bool = false
    ) {
        self.status = status
        self.task = task
        self.isFailing = isFailing
    }

    /// The API's `status`.
    public var shown: SnapshotStatus { task.flatMap { SnapshotStatus(rawValue: $0.rawValue) } ?? status }

    public var isFailed: Bool { isFailing || status == .error || status == .errorDeleting }
    public var isLeaving: Bool { task == .deleting || status == .errorDeleting }
    public var staysUntilGone: Bool { true }
    public var failed: Self {
        switch task {
        case .creating: Self(status: .error, task: nil)
        case .deleting: Self(status: .errorDeleting, task: nil)
        case nil: Self(status: status, task: nil, isFailing: true)
        }
    }
    public var deleted: Self { Self(status: .deleted, task: nil) }
    /// What no host has any more is lost to its owner.
    public var offHost: Self {
        var state = self
        if status != .deleted, status != .errorDeleting { state.status = .error }
        return state
    }

    public func seeing(_ sight: VolumeDetails?, _ phase: ResourceStatus.Phase) -> Self { self }

    public func settled(_ sight: VolumeDetails?) -> HostedDecision<Self> {
        var next = self
        next.isFailing = false
        switch task {
        case .creating: return .completed(next.idle)
        case .deleting: return .nothing
        case nil: return isFailing ? .completed(next) : .nothing
        }
    }
}
