import AgentCompute
import AgentCore
import FoundationEssentials
import Logging
import ProtocolModel
import Testing
import TestsSupportRandomness

/// A life of one domain under a real libvirtd: set `SKERRY_LIBVIRT_URI` to its URI. The domain has neither disk nor
/// network, so nothing else is needed.
@Suite(
    "libvirt driver", .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["SKERRY_LIBVIRT_URI"] != nil, "needs SKERRY_LIBVIRT_URI"))
struct LibvirtDriverTests {
    let driver = LibvirtDriver(
        uri: ProcessInfo.processInfo.environment["SKERRY_LIBVIRT_URI"] ?? "",
        settings: HypervisorSettings(virtType: .qemu), logger: Logger(label: "test"))

    static func definition(number: Int = 0x7FFF_0001) -> DomainDefinition {
        var definition = DomainXMLTests.definition()
        let id = ServerID.fresh()
        definition.spec.id = id
        definition.spec.number = number
        definition.spec.interfaces = []
        definition.disks = []
        definition.consoleLogPath = "/tmp/skerry-test-\(id).log"
        return definition
    }

    @Test("a domain is defined, run, paused, saved, reset, stopped and removed, each step twice")
    func life() async throws {
        let definition = Self.definition()
        let id = definition.spec.id
        func observed() async throws -> DomainObservation? { try await driver.observe()[id] }
        defer { try? FileManager.default.removeItem(atPath: definition.consoleLogPath) }

        try await driver.define(definition)
        try await driver.define(definition)
        let defined = try #require(try await observed())
        #expect(defined.power == .shutdown && !defined.hasSavedState && defined.name == definition.spec.domainName)
        #expect(defined.definitionDigest == driver.digest(of: definition))

        for _ in 0..<2 { try await driver.start(id, paused: false) }
        #expect(try await observed()?.power == .running)
        for _ in 0..<2 { try await driver.pause(id) }
        #expect(try await observed()?.power == .paused)
        for _ in 0..<2 { try await driver.resume(id) }
        #expect(try await observed()?.power == .running)
        try await driver.reset(id)
        try await driver.requestShutdown(id)

        for _ in 0..<2 { try await driver.save(id) }
        let saved = try #require(try await observed())
        #expect(saved.power == .shutdown && saved.hasSavedState)
        try await driver.start(id, paused: false)
        #expect(try await observed()?.power == .running)

        var changed = definition
        changed.spec.memoryMiB = 192
        try await driver.define(changed)
        #expect(try await observed()?.definitionDigest == driver.digest(of: changed))
        #expect(try await observed()?.power == .running)

        for _ in 0..<2 { try await driver.destroy(id) }
        #expect(try await observed()?.power == .shutdown)
        for _ in 0..<2 { try await driver.start(id, paused: true) }
        #expect(try await observed()?.power == .paused)
        try await driver.resume(id)
        #expect(try await observed()?.power == .running)
        try await driver.destroy(id)
        for _ in 0..<2 { try await driver.undefine(id) }
        #expect(try await observed() == nil)
        await #expect(throws: StatusError.self) { try await driver.start(id, paused: false) }
    }

    @Test("a name that another domain has is a conflict")
    func nameConflict() async throws {
        let first = Self.definition(number: 0x7FFF_0002)
        let second = Self.definition(number: 0x7FFF_0002)
        try await driver.define(first)
        let error = await #expect(throws: StatusError.self) { try await driver.define(second) }
        #expect(error?.code == .conflict)
        try await driver.undefine(first.spec.id)
    }

    @Test(
        "what the golden files have, libvirt takes as it is meant", arguments: ["volumes", "rescue", "scsi-iso-image"])
    func definitions(name: String) async throws {
        var definition = try #require(DomainXMLTests.cases.first { $0.0 == name }?.1)
        let id = ServerID.fresh()
        definition.spec.id = id
        definition.spec.number = 0x7FFF_0004
        definition.spec.hasGuestAgent = true
        try await driver.define(definition)
        let seen = try #require(try await driver.observe()[id])
        #expect(seen.devices.volumes == Set(definition.spec.volumes.map(\.id)))
        #expect(seen.devices.interfaces == Set(definition.spec.interfaces.map(\.port)))
        #expect(seen.devices.rescueVersion == definition.spec.rescue?.version)
        #expect(seen.devices.namelessTaps.isEmpty)
        try await driver.undefine(id)
    }

    @Test("changes are told", .timeLimit(.minutes(1)))
    func changes() async throws {
        let definition = Self.definition(number: 0x7FFF_0003)
        _ = try await driver.observe()
        let stream = driver.changes()
        try await driver.define(definition)
        var iterator = stream.makeAsyncIterator()
        #expect(await iterator.next() != nil)
        try await driver.undefine(definition.spec.id)
    }

    @Test("the hypervisor describes itself")
    func report() async throws {
        let report = try await driver.report()
        #expect(report.type == "QEMU" && report.version > 1_000_000 && report.virtType == "qemu")
        #expect(report.machineTypes.contains("q35") && report.cpuArchitecture == "x86_64" && report.cpuCores > 0)
    }
}
