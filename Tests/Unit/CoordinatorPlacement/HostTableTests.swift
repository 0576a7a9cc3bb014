import CoordinatorPlacement
import ProtocolModel
import Testing
import TestsSupportRandomness

struct HostTableTests {
    @Test("a table that was changed bit by bit decides as one that was made at once", arguments: 1...30)
    func changes(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var table = HostTable()
        var hosts: [NodeID: HostState] = [:]
        for _ in 0..<120 {
            let host = Self.host(&random)
            switch Int.random(in: 0...3, using: &random) {
            case 0:
                table.remove(host.node)
                hosts[host.node] = nil
            case 1:
                // Only the numbers change, of a host that may not be there.
                table.set(host.stocks, consumers: host.consumers, of: host.node)
                hosts[host.node]?.stocks = host.stocks
                hosts[host.node]?.consumers = host.consumers
            default:
                table.set(host)
                hosts[host.node] = host
            }
            let request = makeRequest(memory: Int.random(in: 1...9000, using: &random)) {
                $0.excluded = [host.node: "tried"]
                $0.host = Bool.random(using: &random) ? nil : host.hostname
            }
            let tieBreak = random.next()
            #expect(table.count == hosts.count)
            #expect(
                Scheduler.decide(request, among: table, tieBreak: tieBreak)
                    == Scheduler.decide(request, among: Array(hosts.values), tieBreak: tieBreak))
        }
    }

    @Test("of two hosts of one name the other is left when one goes, and the one that is up is meant")
    func twoOfOneName() {
        var old = makeHost(1, health: .down)
        var new = makeHost(2, zone: "west")
        (old.hostname, new.hostname) = ("same", "same")
        for hosts in [[old, new], [new, old]] {
            var table = HostTable(hosts)
            let request = makeRequest { $0.host = "same" }
            #expect(Scheduler.decide(request, among: table, tieBreak: 0).host?.node == new.node)
            table.remove(new.node)
            #expect(
                Scheduler.decide(request, among: table, tieBreak: 0).summary
                    == Scheduler.decide(request, among: [old], tieBreak: 0).summary)
        }
    }

    static func host(_ random: inout SeededGenerator) -> HostState {
        makeHost(
            UInt64.random(in: 1...12, using: &random), memory: (8192, Int.random(in: 0...9000, using: &random)),
            zone: ["a", "b"].randomElement(using: &random) ?? "a", isEnabled: Int.random(in: 0...5, using: &random) > 0,
            traits: Bool.random(using: &random) ? [Trait.compute] : [Trait.compute, "CUSTOM_FAST"],
            others: Bool.random(using: &random) ? ["CUSTOM_FPGA": 2] : [:],
            consumers: Int.random(in: 0...5, using: &random))
    }

    @Test("what is said of a thousand hosts is as short as of ten")
    func bounded() {
        func size(_ count: UInt64) -> Int {
            let hosts = (1...count).map { number in
                makeHost(
                    number, memory: (8192, number % 3 == 0 ? 8000 : 0), isEnabled: number % 5 > 0,
                    disabledReason: "reason \(number)")
            }
            let decision = Scheduler.decide(makeRequest(), among: hosts, tieBreak: 1)
            #expect(decision.groups.reduce(0) { $0 + $1.count } == Int(count))
            return decision.groups.reduce(decision.summary.utf8.count) { sum, group in
                sum + group.lines.reduce(0) { $0 + $1.utf8.count }
            }
        }
        let (few, many) = (size(100), size(5_000))
        #expect(many < few * 2)
        #expect(many < 4_096)
    }

    @Test("hosts of a reason that are not named are counted")
    func lines() {
        let hosts = (1...9).map { makeHost($0, health: .down) }
        let decision = Scheduler.decide(makeRequest(), among: hosts, tieBreak: 1)
        #expect(
            decision.groups.first?.lines == [
                "host-1: down", "host-2: down", "host-3: down", "6 more hosts, of: 9 down"
            ])
    }

    @Test("the order of named hosts is that of their weights, and ties are broken the same way each time")
    func candidates() {
        let hosts = (1...40).map { number in
            makeHost(number, memory: (8192, Int(number % 8) * 512), consumers: Int(number % 8))
        }
        let decision = Scheduler.decide(makeRequest(), among: hosts, tieBreak: 5)
        let kept = decision.groups[0]
        #expect(kept.isKept && kept.count == 40 && kept.samples.count == PlacementDecision.candidates)
        #expect(kept.samples[0].hostname == decision.host?.hostname)
        // Five hosts are empty; they are the five that are named.
        #expect(Set(kept.samples.map(\.hostname)) == Set([8, 16, 24, 32, 40].map { "host-\($0)" }))
        #expect(Scheduler.decide(makeRequest(), among: hosts.reversed(), tieBreak: 5) == decision)
    }

    @Test("a pinned host is the only one looked at, and says what it lacks itself")
    func pinned() {
        let hosts = [makeHost(1), makeHost(2, memory: (8192, 8192)), makeHost(3, zone: "west"), makeHost(4)]
        func summary(_ host: String, _ change: (inout PlacementRequest) -> Void = { _ in }) -> String {
            let request = makeRequest {
                $0.host = host
                change(&$0)
            }
            return Scheduler.decide(request, among: hosts, tieBreak: 0).summary
        }
        #expect(
            summary("host-1")
                == "4 hosts: 1 suitable, chose host-1, 3 not the host asked for (host-1)")
        #expect(
            summary("host-2")
                == "4 hosts: 1 short of memory (need 512 MiB, has 0), 3 not the host asked for (host-2)")
        #expect(
            summary("host-3") { $0.availabilityZone = "nova" }
                == "4 hosts: 1 not in availability zone nova, 3 not the host asked for (host-3)")
        #expect(
            summary("host-4") { $0.excluded = [NodeID(high: 0, low: 4): "no-space"] }
                == "4 hosts: 1 tried before: no-space, 3 not the host asked for (host-4)")
    }
}
