import CoordinatorFleet
import ProtocolModel

/// A volume's `status`, in the volume API's words.
public enum VolumeStatus: String, Sendable, Hashable, CaseIterable {
    case creating, available, reserved, attaching
    case inUse = "in-use"
    case detaching, extending, reverting, retyping, uploading, maintenance, deleting, error
    case errorDeleting = "error_deleting"
    case errorExtending = "error_extending"
    case errorRestoring = "error_restoring"
    case awaitingTransfer = "awaiting-transfer"
    case deleted

    /// What a volume is while no host works on it: its attachments decide.
    public static func of(_ attachments: [AttachmentStatus]) -> Self {
        if attachments.contains(.detaching) { return .detaching }
        if attachments.contains(.attaching) { return .attaching }
        if attachments.contains(.reserved) { return .reserved }
        return attachments.isEmpty ? .available : .inUse
    }
}

/// What a host does with a volume. Each has an owner, a deadline and a way out.
public enum VolumeTask: String, HostedTask, CaseIterable {
    case creating, extending, reverting, uploading, deleting

    /// Making one includes fetching its image, going back to a snapshot writing all of it.
    public var allowedSeconds: Int64 {
        switch self {
        case .creating, .reverting: 1800
        case .extending: 600
        case .uploading: 3600
        case .deleting: 900
        }
    }

    public var purpose: HostedPurpose {
        switch self {
        case .creating: .building
        case .extending, .reverting: .changing
        case .uploading: .operating
        case .deleting: .deleting
        }
    }
}

/// All that decides what may happen to a volume next.
public struct VolumeState: HostedState {
    /// What it is while no task is under way.
    public var status: VolumeStatus
    public var task: VolumeTask?
    /// How far the host is with a long piece of work, 0 to 100.
    public var progress: Int
    /// The host said that it cannot keep it as it was; what it is to its owner stays.
    public var isFailing: Bool

    public init(
        status: VolumeStatus = .available, task: VolumeTask? = .creating, progress: Int = 0, isFailing: Bool = false
    ) {
        self.status = status
        self.task = task
        self.progress = progress
        self.isFailing = isFailing
    }

    /// The API's `status`.
    public var shown: VolumeStatus { task.flatMap { VolumeStatus(rawValue: $0.rawValue) } ?? status }

    public var isFailed: Bool { isFailing || status == .error || status == .errorDeleting }
    public var isLeaving: Bool { task == .deleting || status == .errorDeleting }
    public var staysUntilGone: Bool { true }
    public var failed: Self {
        switch task {
        case .creating: Self(status: .error, task: nil, progress: progress)
        case .deleting: Self(status: .errorDeleting, task: nil, progress: progress)
        case .extending, .reverting, .uploading, nil:
            Self(status: status, task: nil, progress: progress, isFailing: true)
        }
    }
    public var deleted: Self { Self(status: .deleted, task: nil, progress: progress) }
    /// What no host has any more is lost to its owner.
    public var offHost: Self {
        var state = self
        if status != .deleted, status != .errorDeleting { state.status = .error }
        return state
    }

    public func seeing(_ sight: VolumeDetails?, _ phase: ResourceStatus.Phase) -> Self {
        var state = self
        if let sight { state.progress = sight.progressPercent }
        return state
    }

    public func settled(_ sight: VolumeDetails?) -> HostedDecision<Self> {
        var next = self
        next.progress = 100
        next.isFailing = false
        switch task {
        case .creating, .extending, .reverting: return .completed(next.idle)
        case .uploading: return HostedLifecycle.moved(next, from: self)
        case .deleting: return .nothing
        case nil: return isFailing ? .completed(next) : .nothing
        }
    }
}
