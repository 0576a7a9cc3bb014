/// What an agent says of one resource in its plan.
public struct ResourceStatus: Hashable, Sendable {
    public enum Phase: Int, Hashable, Sendable, CaseIterable {
        /// Accepted, and waiting for something else (a network, an image).
        case pending = 1
        /// Being brought about.
        case applying = 2
        /// As the plan wants it.
        case ready = 3
        /// Not as wanted, and trying again is pointless until the plan changes; ``ResourceStatus/error`` says why.
        case failed = 4
        /// Nothing of it is left on the host.
        case gone = 5
    }

    public var key: ResourceKey
    /// The ``PlanEntry/generation`` this speaks of.
    public var generation: Int64
    public var phase: Phase
    public var details: Details
    public var error: StatusError?
    /// What was done to get here, oldest first, at most 32.
    public var steps: [StatusStep]

    public init(
        key: ResourceKey, generation: Int64, phase: Phase, details: Details = .none, error: StatusError? = nil,
        steps: [StatusStep] = []
    ) {
        self.key = key
        self.generation = generation
        self.phase = phase
        self.details = details
        self.error = error
        self.steps = steps
    }

    public enum Details: Hashable, Sendable {
        case none
        case server(ServerDetails)
        case volume(VolumeDetails)
    }
}

/// What is to be seen of a server on its host.
public struct ServerDetails: Hashable, Sendable {
    /// libvirt's `virDomainState`, reduced to what the compute API tells apart (`OS-EXT-STS:power_state`).
    public enum PowerState: Int, Hashable, Sendable {
        case none = 0
        case running = 1
        case paused = 3
        case shutdown = 4
        case crashed = 6
        case suspended = 7
    }

    public var power: PowerState
    public var domainName: String
    /// Ports whose interfaces the guest has now, sorted: what is being unplugged is still among them.
    public var interfaces: [PortID]
    /// Volumes that the guest has now, sorted.
    public var volumes: [VolumeID]

    public init(power: PowerState, domainName: String, interfaces: [PortID] = [], volumes: [VolumeID] = []) {
        self.power = power
        self.domainName = domainName
        self.interfaces = interfaces
        self.volumes = volumes
    }
}

/// What is to be seen of a volume on its host.
public struct VolumeDetails: Hashable, Sendable {
    /// As guests see it.
    public var sizeGiB: Int
    /// What it takes of its pool.
    public var allocatedBytes: Int64
    /// How far a long piece of work is: 0 to 100, 100 when there is none.
    public var progressPercent: Int

    public init(sizeGiB: Int, allocatedBytes: Int64, progressPercent: Int = 100) {
        self.sizeGiB = sizeGiB
        self.allocatedBytes = allocatedBytes
        self.progressPercent = progressPercent
    }
}

/// Why a resource is not as wanted.
public struct StatusError: Hashable, Sendable, Error {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// A program or library of the host refused.
        case hostFailure = "host-failure"
        case noSpace = "no-space"
        case noMemory = "no-memory"
        /// The image could not be fetched or is not what its checksum says.
        case badImage = "bad-image"
        /// The host lacks what the plan names (a physical network, a machine type).
        case unsupported
        /// Something on the host that is not ours has the name or place.
        case conflict
        case timedOut = "timed-out"
    }

    public var code: Code
    /// For the tenant: what happened, to what, what to do next. No host paths.
    public var message: String
    /// For the operator: command, errno, paths.
    public var detail: String

    public init(code: Code, message: String, detail: String) {
        self.code = code
        self.message = message
        self.detail = detail
    }
}

/// One thing done for a resource.
public struct StatusStep: Hashable, Sendable {
    public var name: String
    /// Microseconds since 1970-01-01T00:00:00Z on the host's clock.
    public var startedAt: Int64
    public var durationMicroseconds: Int64
    /// `nil` when it went well.
    public var error: String?

    public init(name: String, startedAt: Int64, durationMicroseconds: Int64, error: String? = nil) {
        self.name = name
        self.startedAt = startedAt
        self.durationMicroseconds = durationMicroseconds
        self.error = error
    }
}
