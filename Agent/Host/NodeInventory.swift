import ProtocolModel

/// Puts a node's reports together from what was found on it. Pure.
public struct NodeInventory: Sendable {
    /// What the configuration says of the host.
    public struct Settings: Sendable {
        public var hostname: String
        public var roles: Set<NodeReport.Role>
        public var agentVersion: String
        public var availabilityZone: String
        public var reservedMemoryMiB: Int
        public var reservedDiskGiB: Int

        public init(
            hostname: String, roles: Set<NodeReport.Role>, agentVersion: String, availabilityZone: String,
            reservedMemoryMiB: Int, reservedDiskGiB: Int
        ) {
            self.hostname = hostname
            self.roles = roles
            self.agentVersion = agentVersion
            self.availabilityZone = availabilityZone
            self.reservedMemoryMiB = reservedMemoryMiB
            self.reservedDiskGiB = reservedDiskGiB
        }
    }

    public struct Disk: Equatable, Sendable {
        public var totalGiB: Int
        public var freeGiB: Int

        public init(totalGiB: Int, freeGiB: Int) {
            self.totalGiB = totalGiB
            self.freeGiB = freeGiB
        }
    }

    private let settings: Settings

    public init(_ settings: Settings) { self.settings = settings }

    /// - Parameter problems: What else was found wrong; the host's own shortages are added.
    public func report(
        _ sample: HostSample, disk: Disk, hypervisor: HypervisorReport, physicalNetworks: [String],
        tunnelAddress: IPAddress? = nil, pools: [StoragePool] = [], problems: [String]
    ) -> NodeReport {
        NodeReport(
            hostname: settings.hostname, roles: settings.roles, agentVersion: settings.agentVersion,
            availabilityZone: settings.availabilityZone,
            capacity: NodeCapacity(
                vcpus: sample.cpu.logicalProcessors, memoryMiB: sample.memory.totalMiB, diskGiB: disk.totalGiB,
                reservedMemoryMiB: settings.reservedMemoryMiB, reservedDiskGiB: settings.reservedDiskGiB,
                usedMemoryMiB: sample.usedMemoryMiB, freeDiskGiB: disk.freeGiB),
            hypervisor: hypervisor, physicalNetworks: physicalNetworks.sorted(),
            problems: problems + shortages(sample, disk: disk), tunnelAddress: tunnelAddress, pools: pools)
    }

    public func health(_ sample: HostSample, disk: Disk, runningGuests: Int, problems: [String]) -> NodeHealth {
        NodeHealth(
            uptimeSeconds: sample.uptimeSeconds, loadMilli: sample.loadMilli, usedMemoryMiB: sample.usedMemoryMiB,
            freeDiskGiB: disk.freeGiB, runningGuests: runningGuests,
            problems: problems + shortages(sample, disk: disk))
    }

    private func shortages(_ sample: HostSample, disk: Disk) -> [String] {
        var shortages: [String] = []
        if disk.freeGiB < settings.reservedDiskGiB {
            shortages.append(
                "\(disk.freeGiB) GiB of disk free, \(settings.reservedDiskGiB) GiB are kept for the host: "
                    + "delete servers or add space.")
        }
        // A twentieth of what there is: below it Linux begins to reclaim what running programs need.
        if sample.memory.availableMiB < sample.memory.totalMiB / 20 {
            shortages.append(
                "\(sample.memory.availableMiB) of \(sample.memory.totalMiB) MiB memory available: "
                    + "move or stop servers before the kernel kills one.")
        }
        return shortages
    }
}

extension HostSample {
    var usedMemoryMiB: Int { max(0, memory.totalMiB - memory.availableMiB) }
}
