import ArgumentParser
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// How fast hosts are chosen, for the benchmarks: the scheduler over its table, and the least that any choice among so
/// many hosts costs, a plain loop over arrays.
struct MeasureSchedulerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure-scheduler", abstract: "Measures the choice of hosts.", shouldDisplay: false)

    @Option(help: "How many hosts there are.") var hosts = 1_000
    @Option(help: "How long each side is measured, in seconds.") var seconds = 2

    func run() throws {
        var table = HostTable((0..<hosts).map(Self.host))
        var arrays = PlainArrays(hosts: hosts)
        let scheduler = rate { number in
            let decision = Scheduler.decide(Self.request, among: table, tieBreak: UInt64(number))
            guard let node = decision.host?.node else { return }
            // As after a claim: the next decision sees other numbers.
            table.set(Self.stocks(used: number % 64), consumers: number % 64, of: node)
        }
        let plain = rate { number in
            guard let index = arrays.choose() else { return }
            arrays.take(index, used: number % 64)
        }
        print(
            JSON.object([
                "hosts": JSON(hosts), "decisions_per_second": JSON(scheduler), "plain_loop_per_second": JSON(plain)
            ]).text)
    }

    private func rate(_ body: (Int) -> Void) -> Int {
        let clock = ContinuousClock()
        let start = clock.now
        var count = 0
        while clock.now - start < .seconds(seconds) {
            for _ in 0..<16 {
                body(count)
                count += 1
            }
        }
        return Int(Double(count) / ((clock.now - start) / .seconds(1)))
    }

    private static let request = PlacementRequest(
        consumer: PlacementRequest.Consumer(
            id: AnyID(high: 1, low: 1), type: "INSTANCE", project: ProjectID(high: 1, low: 2),
            user: UserID(high: 1, low: 3)),
        resources: [ResourceClass.vcpu: 1, ResourceClass.memory: 64, ResourceClass.disk: 1], role: .compute)

    private static func host(_ number: Int) -> HostState {
        HostState(
            node: NodeID(high: 7, low: UInt64(number)), hostname: "host-\(number)",
            facts: HostState.Facts(
                availabilityZone: "nova", roles: [.compute], isEnabled: true, disabledReason: nil, health: .up,
                physicalNetworks: ["physnet1"], traits: [Trait.compute], aggregates: []),
            stocks: stocks(used: number % 64), consumers: number % 64)
    }

    private static func stocks(used: Int) -> [String: HostState.Stock] {
        func stock(_ total: Int, _ each: Int) -> HostState.Stock {
            HostState.Stock(capacity: total, used: used * each, largest: total)
        }
        return [
            ResourceClass.vcpu: stock(1_024, 1), ResourceClass.memory: stock(1 << 20, 64),
            ResourceClass.disk: stock(65_536, 1)
        ]
    }
}

/// The same choice without names, reasons or ties: a host with room and the highest weight.
private struct PlainArrays {
    private var vcpus: [Int] = []
    private var memory: [Int] = []
    private var disk: [Int] = []
    private var consumers: [Int] = []

    init(hosts: Int) {
        for number in 0..<hosts {
            vcpus.append(1_024 - number % 64)
            memory.append((1 << 20) - number % 64 * 64)
            disk.append(65_536 - number % 64)
            consumers.append(number % 64)
        }
    }

    func choose() -> Int? {
        var (mostMemory, mostVCPUs, mostConsumers) = (1, 1, 1)
        for index in vcpus.indices where vcpus[index] >= 1 && memory[index] >= 64 && disk[index] >= 1 {
            mostMemory = max(mostMemory, memory[index])
            mostVCPUs = max(mostVCPUs, vcpus[index])
            mostConsumers = max(mostConsumers, consumers[index])
        }
        var best: (index: Int, weight: Double)?
        for index in vcpus.indices where vcpus[index] >= 1 && memory[index] >= 64 && disk[index] >= 1 {
            let weight =
                Double(memory[index]) / Double(mostMemory) + Double(vcpus[index]) / Double(mostVCPUs)
                - Double(consumers[index]) / Double(mostConsumers)
            if weight > best?.weight ?? -.infinity { best = (index, weight) }
        }
        return best?.index
    }

    mutating func take(_ index: Int, used: Int) {
        vcpus[index] = 1_024 - used
        memory[index] = (1 << 20) - used * 64
        disk[index] = 65_536 - used
        consumers[index] = used
    }
}
