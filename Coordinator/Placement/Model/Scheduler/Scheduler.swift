import ProtocolModel

/// Chooses a host: drops those that will not do, weighs the rest. Pure: the same input gives the same decision, whatever
/// the order of the hosts.
///
/// What hosts have in common is asked once for all of them; what is left is two passes over arrays of numbers.
public enum Scheduler {
    /// - Parameter tieBreak: Decides between hosts of equal weight; vary it per request so that equals share the load.
    public static func decide(
        _ request: PlacementRequest, among table: HostTable, tieBreak: UInt64
    ) -> PlacementDecision {
        var tally = Tally()
        let needs = needs(of: request)
        let skipped = exclude(request, table, &tally)
        let pinned = request.host.map { table.node(named: $0).flatMap { table.place(of: $0) } }
        var kept: [Kept] = []
        for (number, group) in table.groups {
            let skipped = skipped[number] ?? []
            var indices = 0..<group.count
            if let wanted = request.host {
                let only = pinned.flatMap { $0?.group == number ? $0?.index : nil }
                drop(group, .otherHost(wanted: wanted), but: only.map { skipped.union([$0]) } ?? skipped, &tally)
                guard let only, !skipped.contains(only) else { continue }
                indices = only..<only + 1
            }
            if let refusal = refusal(of: group.facts, request) {
                let spared = request.host == nil ? skipped : Set(0..<group.count).subtracting(indices)
                drop(group, refusal, but: spared, &tally)
                continue
            }
            let fitting = fit(needs, group, indices, skipped, &tally)
            if !fitting.isEmpty { kept.append(Kept(group: group, indices: fitting)) }
        }
        return decision(hosts: table.count, kept, tally, Measures(request), tieBreak)
    }

    /// What is asked of a host's numbers, in the order in which a shortage is told.
    private static func needs(of request: PlacementRequest) -> [(resourceClass: String, amount: Int)] {
        request.resources.filter { $0.value > 0 }.map { ($0.key, $0.value) }.sorted {
            (Refusal.rank(of: $0.0), $0.0) < (Refusal.rank(of: $1.0), $1.0)
        }
    }

    /// Counts the hosts that were tried before.
    /// - Returns: Where they stand in their groups.
    private static func exclude(
        _ request: PlacementRequest, _ table: HostTable, _ tally: inout Tally
    ) -> [Int: Set<Int>] {
        var skipped: [Int: Set<Int>] = [:]
        for (node, reason) in request.excluded {
            guard let place = table.place(of: node), let group = table.groups[place.group] else { continue }
            skipped[place.group, default: []].insert(place.index)
            tally.add(.excluded(reason), count: 1, samples: [sample(group, place.index, .excluded(reason))])
        }
        return skipped
    }

    /// - Returns: `nil` when hosts of which this is true may do.
    static func refusal(of facts: HostState.Facts, _ request: PlacementRequest) -> Refusal? {
        if let wanted = request.availabilityZone, wanted != facts.availabilityZone {
            return .otherZone(wanted: wanted)
        }
        if request.aggregates.contains(where: { $0.isDisjoint(with: facts.aggregates) }) { return .otherAggregate }
        if let role = request.role, !facts.roles.contains(role) { return .lacksRole(role) }
        if !facts.isEnabled { return .disabled(facts.disabledReason) }
        if facts.health != .up { return .unhealthy(facts.health) }
        let apart = request.physicalNetworks.subtracting(facts.physicalNetworks)
        if !apart.isEmpty { return .lacksNetworks(apart.sorted()) }
        let missing = request.required.subtracting(facts.traits)
        if !missing.isEmpty { return .lacksTraits(missing.sorted()) }
        let unwanted = request.forbidden.intersection(facts.traits)
        return unwanted.isEmpty ? nil : .hasTraits(unwanted.sorted())
    }

    /// Drops a whole group but for some of its hosts.
    private static func drop(
        _ group: HostTable.Group, _ refusal: Refusal, but spared: Set<Int>, _ tally: inout Tally
    ) {
        tally.add(
            refusal, count: group.count - spared.count,
            samples: (0..<group.count).lazy.filter { !spared.contains($0) }.map { sample(group, $0, refusal) })
    }

    private static func sample(
        _ group: HostTable.Group, _ index: Int, _ refusal: Refusal
    ) -> PlacementDecision.Sample {
        PlacementDecision.Sample(hostname: group.names[index].hostname, reason: refusal.text)
    }

    /// - Returns: Those with room for all that is needed.
    private static func fit(
        _ needs: [(resourceClass: String, amount: Int)], _ group: HostTable.Group, _ indices: Range<Int>,
        _ skipped: Set<Int>, _ tally: inout Tally
    ) -> [Int] {
        var fitting = skipped.isEmpty ? Array(indices) : indices.filter { !skipped.contains($0) }
        for (name, amount) in needs where !fitting.isEmpty {
            let free = group.columns[name]?.free
            if let free, fitting.allSatisfy({ free[$0] >= amount }) { continue }
            var short: [Int] = []
            var best = 0
            var room: [Int] = []
            room.reserveCapacity(fitting.count)
            for index in fitting {
                let has = free?[index] ?? 0
                if has >= amount {
                    room.append(index)
                } else {
                    best = max(best, has)
                    short.append(index)
                }
            }
            fitting = room
            tally.add(
                .short(of: name, need: amount, has: best), count: short.count, best: best,
                samples: short.lazy.map { index in
                    sample(group, index, .short(of: name, need: amount, has: free?[index] ?? 0))
                })
        }
        return fitting
    }

    // MARK: Weighing

    /// The hosts of a group that will do.
    private struct Kept {
        var group: HostTable.Group
        var indices: [Int]
    }

    private struct Candidate {
        /// Which of the groups.
        var kept: Int
        var index: Int
        var node: NodeID
        var weight: Weight
        var order: UInt64

        func isBetter(than other: Candidate) -> Bool {
            let (total, others) = (weight.total, other.weight.total)
            if total != others { return total > others }
            if order != other.order { return order > other.order }
            return (node.high, node.low) < (other.node.high, other.node.low)
        }
    }

    private static func decision(
        hosts: Int, _ kept: [Kept], _ tally: Tally, _ measures: Measures, _ tieBreak: UInt64
    ) -> PlacementDecision {
        let best = best(of: kept, measures, tieBreak)
        let count = kept.reduce(0) { $0 + $1.indices.count }
        var groups = tally.groups
        var host: PlacementDecision.Host?
        if let first = best.first {
            let group = kept[first.kept].group
            let name = group.names[first.index]
            host = PlacementDecision.Host(
                node: name.node, hostname: name.hostname, availabilityZone: group.facts.availabilityZone)
            let samples = best.map {
                PlacementDecision.Sample(
                    hostname: kept[$0.kept].group.names[$0.index].hostname, reason: $0.weight.text(measures))
            }
            groups.insert(
                PlacementDecision.Group(
                    isKept: true, summary: "\(count) suitable, chose \(name.hostname)", count: count, samples: samples),
                at: 0)
        }
        let reasons = groups.map(\.summary).joined(separator: ", ")
        return PlacementDecision(
            host: host, groups: groups,
            summary: hosts > 0
                ? "\(hosts) \(hosts == 1 ? "host" : "hosts"): \(reasons)"
                : "0 hosts: no agent has joined yet, join one with a token from 'skerry node token'")
    }

    /// The best few, the best first. What is free counts absolutely, so that large hosts fill first and room for large
    /// guests remains; guests are spread, so that the loss of a host hits few.
    private static func best(of kept: [Kept], _ measures: Measures, _ tieBreak: UInt64) -> [Candidate] {
        let scale = Scale(kept, measures)
        var best: [Candidate] = []
        for (number, kept) in kept.enumerated() {
            let memory = kept.group.columns[measures.first]?.left
            let vcpus = kept.group.columns[measures.second]?.left
            let consumers = kept.group.consumers
            for index in kept.indices {
                let weight = scale.weigh(
                    memory: memory?[index] ?? 0, vcpus: vcpus?[index] ?? 0, consumers: consumers[index])
                let isFull = best.count == PlacementDecision.candidates
                if isFull, let last = best.last, weight.total < last.weight.total { continue }
                let node = kept.group.names[index].node
                let candidate = Candidate(
                    kept: number, index: index, node: node, weight: weight, order: order(node, tieBreak))
                guard let place = best.firstIndex(where: { candidate.isBetter(than: $0) }) else {
                    if !isFull { best.append(candidate) }
                    continue
                }
                if isFull { best.removeLast() }
                best.insert(candidate, at: place)
            }
        }
        return best
    }

    /// What hosts are weighed by: memory and VCPUs for guests, and for what needs neither the room that it asks for.
    private struct Measures {
        var first = ResourceClass.memory
        var second = ResourceClass.vcpu

        init(_ request: PlacementRequest) {
            let asked = request.resources.filter { $0.value > 0 }.keys.sorted()
            guard let only = asked.first, !asked.contains(first), !asked.contains(second) else { return }
            (first, second) = (only, only)
        }

        static func word(_ name: String) -> String {
            switch name {
            case ResourceClass.memory: "memory"
            case ResourceClass.vcpu: "VCPUs"
            default: name
            }
        }
    }

    /// The most that one of the hosts has.
    private struct Scale {
        var memory = 0
        var vcpus = 0
        var consumers = 0

        init(_ kept: [Kept], _ measures: Measures) {
            for kept in kept {
                let left = kept.group.columns[measures.first]?.left
                let cores = kept.group.columns[measures.second]?.left
                let guests = kept.group.consumers
                for index in kept.indices {
                    memory = max(memory, left?[index] ?? 0)
                    vcpus = max(vcpus, cores?[index] ?? 0)
                    consumers = max(consumers, guests[index])
                }
            }
        }

        func weigh(memory left: Int, vcpus: Int, consumers: Int) -> Weight {
            func share(_ value: Int, of most: Int) -> Double { most > 0 ? Double(value) / Double(most) : 1 }
            return Weight(
                memory: share(left, of: memory), vcpus: share(vcpus, of: self.vcpus),
                spread: self.consumers > 0 ? 1 - share(consumers, of: self.consumers) : 1)
        }
    }

    /// Each part from 0 to 1, the best host having 1.
    private struct Weight {
        var memory: Double
        var vcpus: Double
        var spread: Double
        var total: Double { (memory + vcpus + spread) / 3 }

        func text(_ measures: Measures) -> String {
            let names = [measures.first, measures.second], values = [memory, vcpus]
            let free = zip(names, values).prefix(measures.first == measures.second ? 1 : 2).map {
                "free \(Measures.word($0)) \(hundredths($1)), "
            }
            return "weight \(hundredths(total)): \(free.joined())spread \(hundredths(spread))"
        }
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
