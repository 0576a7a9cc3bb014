import ProtocolModel

/// Chooses a host: drops those that will not do, weighs the rest. Pure: the same input gives the same decision, whatever
/// the order of the hosts.
public enum Scheduler {
    /// - Parameters:
    ///   - hosts: All hosts of the cloud.
    ///   - tieBreak: Decides between hosts of equal weight; vary it per request so that equals share the load.
    public static func decide(_ request: PlacementRequest, among hosts: [HostState], tieBreak: UInt64)
        -> PlacementDecision
    {
        var kept: [HostState] = []
        var refusals: [NodeID: Refusal] = [:]
        for host in hosts {
            if let refusal = refusal(of: host, request) { refusals[host.node] = refusal } else { kept.append(host) }
        }
        let weights = weights(of: kept)
        let best = kept.max { left, right in
            let (a, b) = (weights[left.node]?.total ?? 0, weights[right.node]?.total ?? 0)
            return (a, order(left.node, tieBreak)) < (b, order(right.node, tieBreak))
        }
        let verdicts = hosts.sorted { $0.hostname < $1.hostname }.map { host in
            PlacementDecision.Verdict(
                node: host.node, hostname: host.hostname, isKept: refusals[host.node] == nil,
                reason: refusals[host.node]?.text ?? weights[host.node]?.text ?? "")
        }
        return PlacementDecision(
            host: best?.node, hostname: best?.hostname, verdicts: verdicts,
            summary: summary(hosts: hosts.count, kept: kept.count, best: best, refusals: Array(refusals.values)))
    }

    /// - Returns: `nil` when the host will do.
    static func refusal(of host: HostState, _ request: PlacementRequest) -> Refusal? {
        if let reason = request.excluded[host.node] { return .excluded(reason) }
        if let wanted = request.host, wanted != host.hostname { return .otherHost(wanted: wanted) }
        if let wanted = request.availabilityZone, wanted != host.availabilityZone { return .otherZone(wanted: wanted) }
        if !host.isCompute { return .notCompute }
        if !host.isEnabled { return .disabled(host.disabledReason) }
        if host.health != .up { return .unhealthy(host.health) }
        let missing = request.physicalNetworks.subtracting(host.physicalNetworks)
        if !missing.isEmpty { return .lacksNetworks(missing.sorted()) }
        if request.needsUEFI, !host.hasUEFI { return .lacksUEFI }
        if request.vcpus > host.vcpus.free { return .short(of: .vcpus, need: request.vcpus, has: host.vcpus.free) }
        if request.memoryMiB > host.memoryMiB.free {
            return .short(of: .memory, need: request.memoryMiB, has: host.memoryMiB.free)
        }
        if request.diskGiB > host.diskGiB.free {
            return .short(of: .disk, need: request.diskGiB, has: host.diskGiB.free)
        }
        return nil
    }

    struct Weight {
        var memory: Double
        var vcpus: Double
        var spread: Double
        var total: Double { (memory + vcpus + spread) / 3 }

        var text: String {
            "weight \(hundredths(total)): free memory \(hundredths(memory)), free VCPUs \(hundredths(vcpus)), "
                + "spread \(hundredths(spread))"
        }
    }

    /// Each part from 0 to 1, the best host having 1. What is free counts absolutely, so that large hosts fill first and
    /// room for large guests remains; guests are spread, so that the loss of a host hits few.
    static func weights(of hosts: [HostState]) -> [NodeID: Weight] {
        let memory = hosts.map { $0.memoryMiB.capacity - $0.memoryMiB.used }.max() ?? 0
        let vcpus = hosts.map { $0.vcpus.capacity - $0.vcpus.used }.max() ?? 0
        let consumers = hosts.map(\.consumers).max() ?? 0
        func share(_ value: Int, of most: Int) -> Double { most > 0 ? Double(value) / Double(most) : 1 }
        var weights: [NodeID: Weight] = [:]
        for host in hosts {
            weights[host.node] = Weight(
                memory: share(host.memoryMiB.capacity - host.memoryMiB.used, of: memory),
                vcpus: share(host.vcpus.capacity - host.vcpus.used, of: vcpus),
                spread: consumers > 0 ? 1 - share(host.consumers, of: consumers) : 1)
        }
        return weights
    }

    private static func summary(hosts: Int, kept: Int, best: HostState?, refusals: [Refusal]) -> String {
        guard hosts > 0 else {
            return "0 hosts: no agent has joined yet, join one with a token from 'skerry node token'"
        }
        let groups = Dictionary(grouping: refusals, by: \.kind).sorted { $0.key < $1.key }
        var parts = groups.map { Refusal.summary(of: $0.value) }
        if let best { parts.insert("\(kept) suitable, chose \(best.hostname)", at: 0) }
        return "\(hosts) \(hosts == 1 ? "host" : "hosts"): \(parts.joined(separator: ", "))"
    }

    /// A well-mixed order of nodes that differs with `tieBreak` (the finaliser of SplitMix64).
    private static func order(_ node: NodeID, _ tieBreak: UInt64) -> UInt64 {
        var word = node.low ^ node.high ^ tieBreak
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// Two decimals, for people.
private func hundredths(_ value: Double) -> String {
    let scaled = Int((value * 100).rounded())
    return "\(scaled / 100).\(scaled % 100 < 10 ? "0" : "")\(scaled % 100)"
}
