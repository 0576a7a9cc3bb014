import ProtocolModel

extension NodeReport: MessageConvertible {
    init(_ message: PBNodeReport) throws(WireError) {
        self.init(
            hostname: message.hostname,
            roles: Set(try message.roles.converted { role throws(WireError) in try Role(role) }.compactMap(\.self)),
            agentVersion: message.agentVersion, availabilityZone: message.availabilityZone,
            capacity: try NodeCapacity(message.capacity), hypervisor: try HypervisorReport(message.hypervisor),
            physicalNetworks: message.physicalNetworks, problems: message.problems,
            tunnelAddress: message.hasTunnelAddress
                ? try IPAddress(wire: message.tunnelAddress, field: "report.tunnel_address") : nil,
            pools: try message.pools.converted { pool throws(WireError) in try StoragePool(pool) },
            exportAddress: message.hasExportAddress
                ? try IPAddress(wire: message.exportAddress, field: "report.export_address") : nil)
    }

    var wire: PBNodeReport {
        .with {
            $0.hostname = hostname
            $0.roles = roles.map(\.wire).sorted { $0.rawValue < $1.rawValue }
            $0.agentVersion = agentVersion
            $0.availabilityZone = availabilityZone
            $0.capacity = capacity.wire
            $0.hypervisor = hypervisor.wire
            $0.physicalNetworks = physicalNetworks
            $0.problems = problems
            if let tunnelAddress { $0.tunnelAddress = .init(tunnelAddress.octets) }
            $0.pools = pools.map(\.wire)
            if let exportAddress { $0.exportAddress = .init(exportAddress.octets) }
        }
    }
}

extension NodeReport.Role {
    /// `nil` for a role of a newer release, which nothing here makes use of.
    init?(_ message: PBNodeReport.Role) throws(WireError) {
        switch message {
        case .compute: self = .compute
        case .network: self = .network
        case .storage: self = .storage
        case .object: self = .object
        case .UNRECOGNIZED: return nil
        case .unspecified: throw .invalid("report.roles: \(message.rawValue)")
        }
    }

    var wire: PBNodeReport.Role {
        switch self {
        case .compute: .compute
        case .network: .network
        case .storage: .storage
        case .object: .object
        }
    }
}

extension NodeCapacity: MessageConvertible {
    init(_ message: PBNodeCapacity) throws(WireError) {
        self.init(
            vcpus: try natural(message.vcpus, field: "capacity.vcpus"),
            memoryMiB: try natural(message.memoryMib, field: "capacity.memory_mib"),
            diskGiB: try natural(message.diskGib, field: "capacity.disk_gib"),
            reservedMemoryMiB: try natural(message.reservedMemoryMib, field: "capacity.reserved_memory_mib"),
            reservedDiskGiB: try natural(message.reservedDiskGib, field: "capacity.reserved_disk_gib"),
            usedMemoryMiB: try natural(message.usedMemoryMib, field: "capacity.used_memory_mib"),
            freeDiskGiB: try natural(message.freeDiskGib, field: "capacity.free_disk_gib"))
    }

    var wire: PBNodeCapacity {
        .with {
            $0.vcpus = Int64(vcpus)
            $0.memoryMib = Int64(memoryMiB)
            $0.diskGib = Int64(diskGiB)
            $0.reservedMemoryMib = Int64(reservedMemoryMiB)
            $0.reservedDiskGib = Int64(reservedDiskGiB)
            $0.usedMemoryMib = Int64(usedMemoryMiB)
            $0.freeDiskGib = Int64(freeDiskGiB)
        }
    }
}

extension HypervisorReport: MessageConvertible {
    init(_ message: PBHypervisorReport) throws(WireError) {
        self.init(
            type: message.type, version: try natural(message.version, field: "hypervisor.version"),
            virtType: message.virtType, cpuModel: message.cpuModel, cpuVendor: message.cpuVendor,
            cpuArchitecture: message.cpuArchitecture, cpuFeatures: message.cpuFeatures,
            cpuSockets: try natural(message.cpuSockets, field: "hypervisor.cpu_sockets"),
            cpuCores: try natural(message.cpuCores, field: "hypervisor.cpu_cores"),
            cpuThreads: try natural(message.cpuThreads, field: "hypervisor.cpu_threads"),
            machineTypes: message.machineTypes, hasUEFI: message.hasUefi_p)
    }

    var wire: PBHypervisorReport {
        .with {
            $0.type = type
            $0.version = Int64(version)
            $0.virtType = virtType
            $0.cpuModel = cpuModel
            $0.cpuVendor = cpuVendor
            $0.cpuArchitecture = cpuArchitecture
            $0.cpuFeatures = cpuFeatures
            $0.cpuSockets = Int64(cpuSockets)
            $0.cpuCores = Int64(cpuCores)
            $0.cpuThreads = Int64(cpuThreads)
            $0.machineTypes = machineTypes
            $0.hasUefi_p = hasUEFI
        }
    }
}

extension NodeHealth: MessageConvertible {
    init(_ message: PBNodeHealth) throws(WireError) {
        self.init(
            uptimeSeconds: message.uptimeSeconds, loadMilli: try natural(message.loadMilli, field: "health.load_milli"),
            usedMemoryMiB: try natural(message.usedMemoryMib, field: "health.used_memory_mib"),
            freeDiskGiB: try natural(message.freeDiskGib, field: "health.free_disk_gib"),
            runningGuests: try natural(message.runningGuests, field: "health.running_guests"),
            problems: message.problems)
    }

    var wire: PBNodeHealth {
        .with {
            $0.uptimeSeconds = uptimeSeconds
            $0.loadMilli = Int64(loadMilli)
            $0.usedMemoryMib = Int64(usedMemoryMiB)
            $0.freeDiskGib = Int64(freeDiskGiB)
            $0.runningGuests = Int64(runningGuests)
            $0.problems = problems
        }
    }
}
