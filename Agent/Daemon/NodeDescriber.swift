import AgentCore
import AgentHost
import AgentSimulated
import ProtocolModel

/// Says what a node is and how it fares.
package protocol NodeDescriber: Sendable {
    func report(problems: [String]) async -> NodeReport
    func health(runningGuests: Int, problems: [String]) async -> NodeHealth
}

/// A real host.
struct HostDescriber: NodeDescriber {
    let probe: HostProbe
    let inventory: NodeInventory
    let drivers: HostDrivers

    func report(problems: [String]) async -> NodeReport {
        var problems = problems
        let (sample, disk) = await measure(&problems)
        return inventory.report(
            sample, disk: disk, hypervisor: await hypervisor(&problems),
            physicalNetworks: await drivers.network?.physicalNetworks() ?? [],
            tunnelAddress: await drivers.network?.tunnelAddress(), pools: await drivers.volumes?.report() ?? [],
            problems: problems)
    }

    func health(runningGuests: Int, problems: [String]) async -> NodeHealth {
        var problems = problems
        let (sample, disk) = await measure(&problems)
        return inventory.health(sample, disk: disk, runningGuests: runningGuests, problems: problems)
    }

    private func measure(_ problems: inout [String]) async -> (HostSample, NodeInventory.Disk) {
        var sample = HostSample(
            memory: MemoryInfo(totalMiB: 0, availableMiB: 0), cpu: CPUInfo(logicalProcessors: 0, modelName: ""),
            loadMilli: 0, uptimeSeconds: 0)
        var disk = NodeInventory.Disk(totalGiB: 0, freeGiB: 0)
        do throws(StatusError) { sample = try probe.sample() } catch { problems.note(error) }
        if let storage = drivers.compute?.storage {
            do throws(StatusError) {
                let capacity = try await storage.capacity()
                disk = NodeInventory.Disk(totalGiB: capacity.totalGiB, freeGiB: capacity.freeGiB)
            } catch {
                problems.note(error)
            }
        }
        return (sample, disk)
    }

    private func hypervisor(_ problems: inout [String]) async -> HypervisorReport {
        // A host that cannot say what it runs guests with is not given any.
        let unknown = HypervisorReport(
            type: "QEMU", version: 0, virtType: "qemu", cpuModel: "", cpuVendor: "", cpuArchitecture: "",
            cpuFeatures: [], cpuSockets: 0, cpuCores: 0, cpuThreads: 0, machineTypes: [], hasUEFI: false)
        guard let hypervisor = drivers.compute?.hypervisor else { return unknown }
        do throws(StatusError) {
            return try await hypervisor.report()
        } catch {
            problems.note(error)
            return unknown
        }
    }
}

/// A host without a hypervisor.
package struct SimulatedDescriber: NodeDescriber {
    let hostname: String
    let configuration: Configuration
    let host: SimulatedHost
    let tunnelAddress: IPAddress?

    package init(
        hostname: String, configuration: Configuration, host: SimulatedHost, tunnelAddress: IPAddress? = nil
    ) {
        self.hostname = hostname
        self.configuration = configuration
        self.host = host
        self.tunnelAddress = tunnelAddress
    }

    package func report(problems: [String]) async -> NodeReport {
        let drivers = host.drivers
        let unknown = HypervisorReport(
            type: "simulated", version: 0, virtType: "simulated", cpuModel: "", cpuVendor: "", cpuArchitecture: "",
            cpuFeatures: [], cpuSockets: 0, cpuCores: 0, cpuThreads: 0, machineTypes: [], hasUEFI: false)
        return NodeReport(
            hostname: hostname, roles: configuration.roles, agentVersion: AgentVersion.text,
            availabilityZone: configuration.availabilityZone,
            capacity: NodeCapacity(
                vcpus: host.capacity.vcpus, memoryMiB: host.capacity.memoryMiB, diskGiB: host.capacity.diskGiB,
                reservedMemoryMiB: configuration.reservedMemoryMiB, reservedDiskGiB: configuration.reservedDiskGiB,
                usedMemoryMiB: 0, freeDiskGiB: host.capacity.diskGiB),
            hypervisor: (try? await drivers.compute?.hypervisor.report()) ?? unknown,
            physicalNetworks: configuration.physicalNetworks.keys.sorted(), problems: problems,
            tunnelAddress: tunnelAddress,
            pools: configuration.roles.contains(.storage) ? await drivers.volumes?.report() ?? [] : [],
            // Its guests have no disks, wherever those are.
            exportAddress: configuration.roles.contains(.storage) ? tunnelAddress : nil)
    }

    package func health(runningGuests: Int, problems: [String]) async -> NodeHealth {
        NodeHealth(
            uptimeSeconds: 0, loadMilli: 0, usedMemoryMiB: 0, freeDiskGiB: host.capacity.diskGiB,
            runningGuests: runningGuests, problems: problems)
    }
}

extension NodeReport {
    /// Without what changes all the time; what is left is worth a report when it changes.
    var lasting: Self {
        var report = self
        report.capacity.usedMemoryMiB = 0
        report.capacity.freeDiskGiB = 0
        for index in report.pools.indices {
            // News when it has changed by a twentieth of the pool.
            let step = max(1, report.pools[index].totalGiB / 20)
            report.pools[index].freeGiB = report.pools[index].freeGiB / step * step
        }
        return report
    }
}

extension [String] {
    /// One trouble may be met several times.
    fileprivate mutating func note(_ error: StatusError) {
        if !contains(error.message) { append(error.message) }
    }
}
