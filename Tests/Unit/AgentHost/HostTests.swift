import AgentHost
import ProtocolModel
import Testing

@Suite("host inventory")
struct HostTests {
    @Test("memory is what the kernel calls available, or free where it does not say")
    func memory() {
        let text = "MemTotal:        2048000 kB\nMemFree:  1024 kB\nMemAvailable:    1024000 kB\nHugePages_Total:  0\n"
        #expect(MemoryInfo(meminfo: text) == MemoryInfo(totalMiB: 2000, availableMiB: 1000))
        #expect(
            MemoryInfo(meminfo: "MemTotal: 2048 kB\nMemFree: 1024 kB\n") == MemoryInfo(totalMiB: 2, availableMiB: 1))
        #expect(MemoryInfo(meminfo: "nonsense") == nil)
    }

    @Test("processors are counted and named")
    func processors() {
        let text = "processor\t: 0\nmodel name\t: A CPU\n\nprocessor\t: 1\nmodel name\t: A CPU\n"
        #expect(CPUInfo(cpuinfo: text) == CPUInfo(logicalProcessors: 2, modelName: "A CPU"))
        #expect(CPUInfo(cpuinfo: "").logicalProcessors == 1)
    }

    @Test("load and uptime", arguments: [("0.05 0.18 0.34 1/100 7", 50), ("12.30 1.00 1.00 1/2 3", 12300)])
    func load(text: String, milli: Int) {
        #expect(ProcText.loadMilli(text) == milli)
        #expect(ProcText.loadMilli("x") == nil)
        #expect(ProcText.uptimeSeconds("351.07 200.00\n") == 351)
    }

    @Test("this host can be read")
    func thisHost() throws {
        let sample = try HostProbe().sample()
        #expect(sample.memory.totalMiB > 0 && sample.memory.availableMiB <= sample.memory.totalMiB)
        #expect(sample.cpu.logicalProcessors > 0)
        #expect(try HostProbe().bootID().utf8.count == 36)
        #expect(try !HostProbe().hostname().isEmpty)
        #expect(throws: StatusError.self) { try HostProbe(root: "/nonexistent").sample() }
    }

    @Test("shortages are told with their remedy")
    func shortages() {
        let inventory = NodeInventory(
            .init(
                hostname: "h", roles: [.compute], agentVersion: "1", availabilityZone: "nova", reservedMemoryMiB: 512,
                reservedDiskGiB: 5))
        func sample(available: Int) -> HostSample {
            HostSample(
                memory: MemoryInfo(totalMiB: 1000, availableMiB: available),
                cpu: CPUInfo(logicalProcessors: 2, modelName: ""), loadMilli: 10, uptimeSeconds: 60)
        }
        let well = inventory.health(
            sample(available: 500), disk: .init(totalGiB: 100, freeGiB: 50), runningGuests: 3, problems: [])
        #expect(well.problems.isEmpty && well.usedMemoryMiB == 500 && well.runningGuests == 3)
        let short = inventory.health(
            sample(available: 20), disk: .init(totalGiB: 100, freeGiB: 2), runningGuests: 3, problems: ["other"])
        #expect(short.problems.count == 3)
    }
}
