import CoordinatorPlacement
import ProtocolModel
import Testing
import TestsSupportRandomness

func makeHost(
    _ number: UInt64, memory: (Int, Int) = (8192, 0), vcpus: (Int, Int) = (16, 0), disk: (Int, Int) = (100, 0),
    zone: String = "nova", health: HostState.Health = .up, isEnabled: Bool = true, disabledReason: String? = nil,
    networks: Set<String> = ["physnet1"], hasUEFI: Bool = true, isCompute: Bool = true, consumers: Int = 0
) -> HostState {
    func stock(_ pair: (Int, Int)) -> HostState.Stock { .init(capacity: pair.0, used: pair.1, largest: pair.0) }
    return HostState(
        node: NodeID(high: 0, low: number), hostname: "host-\(number)", availabilityZone: zone, isCompute: isCompute,
        isEnabled: isEnabled, disabledReason: disabledReason, health: health, physicalNetworks: networks,
        hasUEFI: hasUEFI, vcpus: stock(vcpus), memoryMiB: stock(memory), diskGiB: stock(disk), consumers: consumers)
}

func makeRequest(
    memory: Int = 512, vcpus: Int = 1, disk: Int = 1, zone: String? = nil, host: String? = nil,
    networks: Set<String> = [], needsUEFI: Bool = false, excluded: [NodeID: String] = [:]
) -> PlacementRequest {
    PlacementRequest(
        consumer: ServerID(high: 1, low: 1), project: ProjectID(high: 2, low: 2), user: UserID(high: 3, low: 3),
        vcpus: vcpus, memoryMiB: memory, diskGiB: disk, availabilityZone: zone, host: host, physicalNetworks: networks,
        needsUEFI: needsUEFI, excluded: excluded)
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
        #expect(decision.verdicts.map(\.isKept) == [false, false, false])
        #expect(decision.verdicts[0].reason == "short of memory (need 4096 MiB, has 3100)")
    }

    @Test("without any host the summary says what to do")
    func noHosts() {
        let decision = Scheduler.decide(makeRequest(), among: [], tieBreak: 0)
        #expect(decision.host == nil)
        #expect(decision.summary.contains("skerry node token"))
    }

    static let refusals: [(HostState, PlacementRequest, String)] = [
        (makeHost(1), makeRequest(zone: "west"), "not in availability zone west"),
        (makeHost(1), makeRequest(host: "other"), "not the host asked for (other)"),
        (makeHost(1, isCompute: false), makeRequest(), "runs no guests"),
        (makeHost(1, isEnabled: false), makeRequest(), "disabled"),
        (makeHost(1, health: .down), makeRequest(), "down"),
        (makeHost(1, health: .suspect), makeRequest(), "suspect: its agent has not been heard of lately"),
        (makeHost(1), makeRequest(networks: ["physnet1", "b", "a"]), "not connected to a, b"),
        (makeHost(1, hasUEFI: false), makeRequest(needsUEFI: true), "has no UEFI firmware"),
        (makeHost(1, vcpus: (4, 3)), makeRequest(vcpus: 2), "short of VCPUs (need 2, has 1)"),
        (makeHost(1, memory: (1024, 1000)), makeRequest(memory: 64), "short of memory (need 64 MiB, has 24)"),
        (makeHost(1, disk: (10, 10)), makeRequest(disk: 1), "short of disk (need 1 GiB, has 0)"),
        (makeHost(1), makeRequest(excluded: [NodeID(high: 0, low: 1): "no-space"]), "tried before: no-space")
    ]

    @Test("each filter names its reason", arguments: refusals.indices)
    func refusal(_ index: Int) {
        let (host, request, reason) = Self.refusals[index]
        let decision = Scheduler.decide(request, among: [host], tieBreak: 7)
        #expect(decision.host == nil)
        #expect(decision.verdicts.first?.reason == reason)
        #expect(decision.summary == "1 host: 1 \(reason)")
    }

    @Test("the emptier host wins, and equals share by tie-break")
    func weights() {
        let hosts = [makeHost(1, memory: (8192, 4096), consumers: 3), makeHost(2)]
        let decision = Scheduler.decide(makeRequest(), among: hosts, tieBreak: 0)
        #expect(decision.hostname == "host-2")
        #expect(decision.summary == "2 hosts: 2 suitable, chose host-2")
        #expect(decision.verdicts[1].reason.hasPrefix("weight 1.00"))
        let equals = (1...4).map { makeHost(UInt64($0)) }
        let chosen = (0..<64).map { Scheduler.decide(makeRequest(), among: equals, tieBreak: UInt64($0)).hostname }
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
            disk: Int.random(in: 0...100, using: &random), zone: [nil, "a"].randomElement(using: &random) ?? nil)
        let decision = Scheduler.decide(request, among: hosts, tieBreak: random.next())
        let fitting = hosts.filter { host in
            host.isEnabled && host.health == .up
                && (request.availabilityZone ?? host.availabilityZone)
                    == host.availabilityZone
                && host.memoryMiB.used + request.memoryMiB <= 8192
                && host.vcpus.used + request.vcpus <= 16 && host.diskGiB.used + request.diskGiB <= 100
        }
        #expect((decision.host == nil) == fitting.isEmpty)
        if let host = decision.host { #expect(fitting.contains { $0.node == host }) }
        #expect(Set(decision.verdicts.filter(\.isKept).map(\.node)) == Set(fitting.map(\.node)))
        let tieBreak = random.next()
        let straight = Scheduler.decide(request, among: hosts, tieBreak: tieBreak)
        #expect(Scheduler.decide(request, among: hosts.shuffled(using: &random), tieBreak: tieBreak) == straight)
    }
}
