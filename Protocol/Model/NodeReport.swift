/// What a host is and has. Sent when a session opens and whenever it changes.
public struct NodeReport: Hashable, Sendable {
    public enum Role: String, Hashable, Sendable, CaseIterable {
        case compute, network, storage, object
    }

    public var hostname: String
    public var roles: Set<Role>
    public var agentVersion: String
    public var availabilityZone: String
    public var capacity: NodeCapacity
    public var hypervisor: HypervisorReport
    /// Names of the physical networks that the host has an interface for, sorted.
    public var physicalNetworks: [String]
    /// What is not right on the host; empty when all is.
    public var problems: [String]
    /// Where other hosts send the frames of overlay networks; `nil`: the host takes part in none.
    public var tunnelAddress: IPAddress?
    /// Sorted by name; empty without the role `storage`.
    public var pools: [StoragePool]
    /// Where other hosts reach exported volumes; `nil`: nowhere.
    public var exportAddress: IPAddress?

    public init(
        hostname: String, roles: Set<Role>, agentVersion: String, availabilityZone: String, capacity: NodeCapacity,
        hypervisor: HypervisorReport, physicalNetworks: [String], problems: [String],
        tunnelAddress: IPAddress? = nil, pools: [StoragePool] = [], exportAddress: IPAddress? = nil
    ) {
        self.hostname = hostname
        self.roles = roles
        self.agentVersion = agentVersion
        self.availabilityZone = availabilityZone
        self.capacity = capacity
        self.hypervisor = hypervisor
        self.physicalNetworks = physicalNetworks
        self.problems = problems
        self.tunnelAddress = tunnelAddress
        self.pools = pools
        self.exportAddress = exportAddress
    }
}

/// What can be given to guests.
public struct NodeCapacity: Hashable, Sendable {
    /// Logical processors.
    public var vcpus: Int
    public var memoryMiB: Int
    public var diskGiB: Int
    /// What the host keeps for itself.
    public var reservedMemoryMiB: Int
    public var reservedDiskGiB: Int
    /// In use right now by anything, ours or not.
    public var usedMemoryMiB: Int
    public var freeDiskGiB: Int

    public init(
        vcpus: Int, memoryMiB: Int, diskGiB: Int, reservedMemoryMiB: Int, reservedDiskGiB: Int, usedMemoryMiB: Int,
        freeDiskGiB: Int
    ) {
        self.vcpus = vcpus
        self.memoryMiB = memoryMiB
        self.diskGiB = diskGiB
        self.reservedMemoryMiB = reservedMemoryMiB
        self.reservedDiskGiB = reservedDiskGiB
        self.usedMemoryMiB = usedMemoryMiB
        self.freeDiskGiB = freeDiskGiB
    }
}

/// The hypervisor's self-description.
public struct HypervisorReport: Hashable, Sendable {
    /// `QEMU`, as the compute API names KVM and emulation alike, or `simulated`.
    public var type: String
    /// major * 1,000,000 + minor * 1,000 + release.
    public var version: Int
    /// `kvm`, `qemu` or `simulated`.
    public var virtType: String
    public var cpuModel: String
    public var cpuVendor: String
    public var cpuArchitecture: String
    public var cpuFeatures: [String]
    public var cpuSockets: Int
    public var cpuCores: Int
    public var cpuThreads: Int
    public var machineTypes: [String]
    public var hasUEFI: Bool

    public init(
        type: String, version: Int, virtType: String, cpuModel: String, cpuVendor: String, cpuArchitecture: String,
        cpuFeatures: [String], cpuSockets: Int, cpuCores: Int, cpuThreads: Int, machineTypes: [String], hasUEFI: Bool
    ) {
        self.type = type
        self.version = version
        self.virtType = virtType
        self.cpuModel = cpuModel
        self.cpuVendor = cpuVendor
        self.cpuArchitecture = cpuArchitecture
        self.cpuFeatures = cpuFeatures
        self.cpuSockets = cpuSockets
        self.cpuCores = cpuCores
        self.cpuThreads = cpuThreads
        self.machineTypes = machineTypes
        self.hasUEFI = hasUEFI
    }
}

/// The short, regular sign of life.
public struct NodeHealth: Hashable, Sendable {
    public var uptimeSeconds: Int64
    /// Thousandths of the one-minute load average.
    public var loadMilli: Int
    public var usedMemoryMiB: Int
    public var freeDiskGiB: Int
    public var runningGuests: Int
    public var problems: [String]

    public init(
        uptimeSeconds: Int64, loadMilli: Int, usedMemoryMiB: Int, freeDiskGiB: Int, runningGuests: Int,
        problems: [String]
    ) {
        self.uptimeSeconds = uptimeSeconds
        self.loadMilli = loadMilli
        self.usedMemoryMiB = usedMemoryMiB
        self.freeDiskGiB = freeDiskGiB
        self.runningGuests = runningGuests
        self.problems = problems
    }
}
