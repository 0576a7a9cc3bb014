import CoordinatorPlacement
import ProtocolModel
import Testing
import TestsSupportRandomness

func makeHost(
    _ number: UInt64, memory: (Int, Int) = (8192, 0), vcpus: (Int, Int) = (16, 0), disk: (Int, Int) = (100, 0),
    zone: String = "nova", health: HostState.Health = .up, isEnabled: Bool = true, disabledReason: String? = nil,
    networks: Set<String> = ["physnet1"], traits: Set<String> = [Trait.compute, Trait.uefi],
    roles: Set<NodeReport.Role> = [.compute], aggregates: Set<String> = [], others: [String: Int] = [:],
    consumers: Int = 0
) -> HostState {
    func stock(_ pair: (Int, Int)) -> HostState.Stock { .init(capacity: pair.0, used: pair.1, largest: pair.0) }
    var stocks = [
        ResourceClass.vcpu: stock(vcpus), ResourceClass.memory: stock(memory), ResourceClass.disk: stock(disk)
    ]
    for (name, amount) in others { stocks[name] = stock((amount, 0)) }
    return HostState(
        node: NodeID(high: 0, low: number), hostname: "host-\(number)",
        facts: HostState.Facts(
            availabilityZone: zone, roles: roles, isEnabled: isEnabled, disabledReason: disabledReason, health: health,
            physicalNetworks: networks, traits: traits, aggregates: aggregates), stocks: stocks, consumers: consumers)
}

func makeRequest(
    memory: Int = 512, vcpus: Int = 1, disk: Int = 1, _ change: (inout PlacementRequest) -> Void = { _ in }
) -> PlacementRequest {
    var request = PlacementRequest(
        consumer: PlacementRequest.Consumer(
            id: AnyID(high: 1, low: 1), type: "INSTANCE", project: ProjectID(high: 2, low: 2),
            user: UserID(high: 3, low: 3)),
        resources: [ResourceClass.vcpu: vcpus, ResourceClass.memory: memory, ResourceClass.disk: disk], role: .compute)
    change(&request)
    return request
}

extension Scheduler {
    static func decide(
        _ request: PlacementRequest, among hosts: [HostState], tieBreak: UInt64
    ) -> PlacementDecision { decide(request, among: HostTable(hosts), tieBreak: tieBreak) }
}

struct SchedulerTests {
    @Test("the summary tells how many hosts failed for what, and what the best of them has")
    func summary() {
        let hosts = [
            makeHost(1, memory: (4096, 996)), makeHost(2, memory: (4096, 2000)),
            makeHost(3, isEnabled: false, disabledReason: "new fan")
        ]
        let decision = Scheduler.decide(makeRequest(memory: 4096), among: hosts, tieBreak: 0)
        #expect(decision.host == nil)
        #expect(
            decision.summary == "3 hosts: 2 short of memory (need 4096 MiB, best has 3100), 1 disabled: new fan")
        #expect(decision.groups.map(\.isKept) == [false, false])
        #expect(decision.groups.map(\.count) == [2, 1])
        #expect(decision.groups[0].samples.map(\.hostname) == ["host-1", "host-2"])
        #expect(decision.groups[0].samples[0].reason == "short of memory (need 4096 MiB, has 3100)")
    }

    @Test("without any host the summary says what to do")
    func noHosts() {
        let decision = Scheduler.decide(makeRequest(), among: [], tieBreak: 0)
        #expect(decision.host == nil)
        #expect(decision.summary.contains("skerry node token"))
    }

    static let refusals: [(HostState, PlacementRequest, String)] = [
        (makeHost(1), makeRequest { $0.availabilityZone = "west" }, "not in availability zone west"),
        (makeHost(1), makeRequest { $0.host = "other" }, "not the host asked for (other)"),
        (makeHost(1, roles: [.network]), makeRequest(), "runs no guests"),
        (makeHost(1), makeRequest { $0.role = .storage }, "has not the role storage"),
        (makeHost(1, isEnabled: false), makeRequest(), "disabled"),
        (makeHost(1, health: .down), makeRequest(), "down"),
        (makeHost(1, health: .suspect), makeRequest(), "suspect: its agent has not been heard of lately"),
        (makeHost(1), makeRequest { $0.physicalNetworks = ["physnet1", "b", "a"] }, "not connected to a, b"),
        (makeHost(1, traits: []), makeRequest { $0.required = [Trait.uefi] }, "has no UEFI firmware"),
        (makeHost(1), makeRequest { $0.required = ["CUSTOM_B", "CUSTOM_A"] }, "lacks CUSTOM_A, CUSTOM_B"),
        (
            makeHost(1, traits: ["CUSTOM_OLD"]), makeRequest { $0.forbidden = ["CUSTOM_OLD"] },
            "has CUSTOM_OLD, which is not wanted"
        ),
        (
            makeHost(1, aggregates: ["a"]), makeRequest { $0.aggregates = [["a"], ["b", "c"]] },
            "not in an aggregate asked for"
        ),
        (makeHost(1, vcpus: (4, 3)), makeRequest(vcpus: 2), "short of VCPUs (need 2, has 1)"),
        (makeHost(1, memory: (1024, 1000)), makeRequest(memory: 64), "short of memory (need 64 MiB, has 24)"),
        (makeHost(1, disk: (10, 10)), makeRequest(disk: 1), "short of disk (need 1 GiB, has 0)"),
        (makeHost(1), makeRequest { $0.resources["VGPU"] = 1 }, "short of VGPU (need 1, has 0)"),
        (
            makeHost(1, others: ["CUSTOM_FPGA": 2]), makeRequest { $0.resources["CUSTOM_FPGA"] = 3 },
            "short of CUSTOM_FPGA (need 3, has 2)"
        ),
        (makeHost(1), makeRequest { $0.excluded = [NodeID(high: 0, low: 1): "no-space"] }, "tried before: no-space"),
        (
            makeHost(1, health: .down), makeRequest { $0.host = "host-1" }, "down"
        )
    ]

    @Test("each filter names its reason", arguments: refusals.indices)
    func refusal(_ index: Int) {
        let (host, request, reason) = Self.refusals[index]
        let decision = Scheduler.decide(request, among: [host], tieBreak: 7)
        #expect(decision.host == nil)
        #expect(decision.groups.first?.samples.first?.reason == reason)
        #expect(decision.summary == "1 host: 1 \(reason)")
    }

    @Test("the emptier host wins, and equals share by tie-break")
    func weights() {
        let hosts = [makeHost(1, memory: (8192, 4096), consumers: 3), makeHost(2)]
        let decision = Scheduler.decide(makeRequest(), among: hosts, tieBreak: 0)
        #expect(decision.host?.hostname == "host-2")
        #expect(decision.summary == "2 hosts: 2 suitable, chose host-2")
        #expect(decision.groups[0].samples.map(\.hostname) == ["host-2", "host-1"])
        #expect(decision.groups[0].samples[0].reason.hasPrefix("weight 1.00"))
        #expect(
            decision.groups[0].samples[1].reason
                == "weight 0.50: free memory 0.50, free VCPUs 1.00, spread 0.00")
        let equals = (1...4).map { makeHost(UInt64($0)) }
        let chosen = (0..<64).map { Scheduler.decide(makeRequest(), among: equals, tieBreak: UInt64($0)).host }
        #expect(Set(chosen).count == 4)
    }

    @Test("a guest never goes where it does not fit, and always somewhere when it fits", arguments: 1...50)
    func properties(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let hosts = (0..<Int.random(in: 0...12, using: &random)).map { number in
            makeHost(
                UInt64(number) + 1, memory: (8192, Int.random(in: 0...9000, using: &random)),
                vcpus: (16, Int.random(in: 0...16, using: &random)),
                disk: (100, Int.random(in: 0...100, using: &random)),
                zone: ["a", "b"].randomElement(using: &random) ?? "a",
                health: ([.up, .up, .suspect, .down] as [HostState.Health]).randomElement(using: &random) ?? .up,
                isEnabled: Int.random(in: 0...4, using: &random) > 0, consumers: Int.random(in: 0...5, using: &random))
        }
        let request = makeRequest(
            memory: Int.random(in: 1...8192, using: &random), vcpus: Int.random(in: 1...16, using: &random),
            disk: Int.random(in: 0...100, using: &random)
        ) { $0.availabilityZone = [nil, "a"].randomElement(using: &random) ?? nil }
        let decision = Scheduler.decide(request, among: hosts, tieBreak: random.next())
        let fitting = hosts.filter { host in
            host.facts.isEnabled && host.facts.health == .up
                && (request.availabilityZone ?? host.facts.availabilityZone) == host.facts.availabilityZone
                && request.resources.allSatisfy { name, amount in (host.stocks[name]?.left ?? 0) >= amount }
        }
        #expect((decision.host == nil) == fitting.isEmpty)
        if let host = decision.host { #expect(fitting.contains { $0.node == host.node }) }
        #expect((decision.groups.first { $0.isKept }?.count ?? 0) == fitting.count)
        #expect(decision.groups.reduce(0) { $0 + $1.count } == hosts.count)
        let tieBreak = random.next()
        let straight = Scheduler.decide(request, among: hosts, tieBreak: tieBreak)
        #expect(Scheduler.decide(request, among: hosts.shuffled(using: &random), tieBreak: tieBreak) == straight)
    }
}
