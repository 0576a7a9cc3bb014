import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// How hosts look, by version.
struct HypervisorView: Sendable {
    let version: Microversion

    func render(_ host: HypervisorRoutes.Subject, isDetail: Bool) -> JSON {
        let node = host.node
        let id: JSON = version.has(53) ? .string(node.id.text) : JSON(node.number)
        var out: [String: JSON] = [
            "id": id, "hypervisor_hostname": .string(node.hostname), "state": node.health == .down ? "down" : "up",
            "status": node.isEnabled ? "enabled" : "disabled"
        ]
        if let residents = host.residents, !residents.isEmpty || version.has(75) {
            out["servers"] = .array(residents.map { ["uuid": .string($0.id.text), "name": .string($0.name)] })
        }
        guard isDetail else { return .object(out) }
        let hypervisor = node.report?.hypervisor
        out["hypervisor_type"] = .string(hypervisor?.type ?? "")
        out["hypervisor_version"] = JSON(hypervisor?.version ?? 0)
        // Agents dial in and may come from behind address translation: there is no address to reach them by.
        out["host_ip"] = "0.0.0.0"
        out["service"] = [
            "id": id, "host": .string(node.hostname), "disabled_reason": JSON(node.disabledReason)
        ]
        if version.has(88) {
            out["uptime"] = JSON(Self.uptime(node, at: node.lastSeen))
        } else {
            for (name, value) in Self.figures(host) { out[name] = JSON(value) }
            let info = Self.processor(hypervisor)
            out["cpu_info"] = version.has(28) ? info : .string(info.text)
        }
        return .object(out)
    }

    /// What is there and what servers take of it; the names alone for `nil`.
    static func figures(_ host: HypervisorRoutes.Subject?) -> [(name: String, value: Int)] {
        let capacity = host?.node.report?.capacity
        let load = host?.load ?? NodeLoad()
        let memory = capacity?.memoryMiB ?? 0
        let disk = capacity?.diskGiB ?? 0
        let usedMemory = load.memoryMiB + (capacity?.reservedMemoryMiB ?? 0)
        return [
            ("vcpus", capacity?.vcpus ?? 0), ("vcpus_used", load.vcpus), ("memory_mb", memory),
            ("memory_mb_used", usedMemory), ("free_ram_mb", memory - usedMemory), ("local_gb", disk),
            ("local_gb_used", load.diskGiB), ("free_disk_gb", disk - load.diskGiB),
            ("disk_available_least", host?.node.lastHealth?.freeDiskGiB ?? capacity?.freeDiskGiB ?? 0),
            ("running_vms", load.servers), ("current_workload", load.tasks)
        ]
    }

    private static func processor(_ report: HypervisorReport?) -> JSON {
        guard let report else { return [:] }
        return [
            "arch": .string(report.cpuArchitecture), "model": .string(report.cpuModel),
            "vendor": .string(report.cpuVendor), "features": .array(report.cpuFeatures.map(JSON.string)),
            "topology": [
                "sockets": JSON(report.cpuSockets), "cores": JSON(report.cpuCores), "threads": JSON(report.cpuThreads)
            ]
        ]
    }

    /// As `uptime` prints it; `nil` for a host that is away.
    static func uptime(_ node: Node, at now: Int64) -> String? {
        guard node.health != .down, let health = node.lastHealth else { return nil }
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        let clock = Timestamp.secondsWithoutZone(now).suffix(8)
        let minutes = health.uptimeSeconds / 60
        let days = minutes / 1440
        let load = two(Int64(health.loadMilli % 1000 / 10))
        return " \(clock) up \(days) days, \(minutes % 1440 / 60):\(two(minutes % 60)),  0 users,  load average: "
            + "\(health.loadMilli / 1000).\(load)"
    }
}
