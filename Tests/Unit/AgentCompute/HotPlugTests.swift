import AgentCompute
import AgentCore
import FoundationEssentials
import Logging
import ProtocolModel
import Subprocess
import Testing
import TestsSupportRandomness

/// Devices that come to a real guest and go from it: besides `SKERRY_LIBVIRT_URI` it takes `SKERRY_GUEST_IMAGE`, a
/// bootable qcow2 whose kernel heeds hot plug.
@Suite(
    "hot plug under libvirt", .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["SKERRY_LIBVIRT_URI"] != nil
            && ProcessInfo.processInfo.environment["SKERRY_GUEST_IMAGE"] != nil,
        "needs SKERRY_LIBVIRT_URI and SKERRY_GUEST_IMAGE"))
struct HotPlugTests {
    private let uri = ProcessInfo.processInfo.environment["SKERRY_LIBVIRT_URI"] ?? ""
    private let image = ProcessInfo.processInfo.environment["SKERRY_GUEST_IMAGE"] ?? ""
    private let driver: LibvirtDriver
    private let folder = "/tmp/skerry-hotplug-\(ServerID.fresh())"

    init() {
        driver = LibvirtDriver(uri: uri, settings: HypervisorSettings(virtType: .qemu), logger: Logger(label: "test"))
    }

    private func run(_ program: String, _ arguments: String...) async throws -> String {
        let result = try await Subprocess.run(
            .name(program), arguments: Arguments(arguments), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        try #require(result.terminationStatus.isSuccess, "\(program) \(arguments): \(result.standardError)")
        return result.standardOutput
    }

    private func definition(number: Int) async throws -> DomainDefinition {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = try await run("chmod", "755", folder)
        var definition = LibvirtDriverTests.definition(number: number)
        let root = folder + "/root.0.qcow2"
        _ = try await run("cp", image, root)
        definition.spec.memoryMiB = 192
        definition.disks = [DomainDisk(role: .root, path: root, format: .qcow2)]
        definition.consoleLogPath = folder + "/console.log"
        return definition
    }

    private func devices(_ server: ServerID) async throws -> GuestDevices? {
        try await driver.observe()[server]?.devices
    }

    /// Asks as the agent does, since a guest that is just coming up hears nothing yet.
    private func isDetached(_ device: GuestDevice, from server: ServerID) async throws -> Bool {
        for _ in 0..<8 {
            try await driver.detach([device], from: server)
            for _ in 0..<50 {
                if try await devices(server)?.all.contains(device) != true { return true }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        return false
    }

    @Test("a disk and an interface come to a running guest and go again", .timeLimit(.minutes(5)))
    func disksAndInterfaces() async throws {
        var definition = try await definition(number: 0x7FFF_0010)
        let server = definition.spec.id
        let port = PortID.fresh()
        let tap = InterfaceName.tap(port).text
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try await run("ip", "tuntap", "add", "mode", "tap", "name", tap, "vnet_hdr")
        try await driver.define(definition)
        try await driver.start(server, paused: false)

        let volume = ServerSpec.Volume(
            id: .fresh(), place: .pool("p"), device: "vdb", limits: ["total_iops_sec": 1_000])
        let disk = folder + "/volume.qcow2"
        _ = try await run("qemu-img", "create", "-q", "-f", "qcow2", disk, "64M")
        definition.spec.volumes = [volume]
        definition.spec.interfaces = [
            .init(
                port: port, network: .fresh(), mac: MACAddress("fa:16:3e:00:00:77")!, mtuBytes: 1_500, model: "virtio")
        ]
        definition.disks.append(DomainDisk(role: .volume(volume), path: disk, format: .qcow2))
        let added: [GuestDevice] = [.volume(volume.id), .interface(port)]
        try await driver.define(definition)
        #expect(try await devices(server) == GuestDevices())
        for _ in 0..<2 { try await driver.attach(added, of: definition) }
        #expect(try await devices(server)?.all == added.sorted())
        let live = try await run("virsh", "-c", uri, "dumpxml", server.text)
        #expect(live.contains("<serial>\(volume.id)</serial>") && live.contains("fa:16:3e:00:00:77"))
        #expect(live.contains("<total_iops_sec>1000</total_iops_sec>"))

        for device in added { #expect(try await isDetached(device, from: server), "\(device)") }
        let after = try await run("virsh", "-c", uri, "dumpxml", server.text)
        #expect(!after.contains(volume.id.text) && !after.contains("fa:16:3e:00:00:77"))
        #expect(try await driver.observe()[server]?.power == .running)
        // The next start is by the definition, which was not touched.
        try await driver.destroy(server)
        #expect(try await devices(server)?.all == added.sorted())
        try await driver.undefine(server)
        _ = try await run("ip", "link", "del", tap)
    }

    @Test("a guest that is not there to listen keeps its disk, however often it is asked", .timeLimit(.minutes(2)))
    func deafGuest() async throws {
        var definition = try await definition(number: 0x7FFF_0011)
        let server = definition.spec.id
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let volume = ServerSpec.Volume(id: .fresh(), place: .pool("p"), device: "vdb")
        let disk = folder + "/volume.qcow2"
        _ = try await run("qemu-img", "create", "-q", "-f", "qcow2", disk, "64M")
        definition.spec.volumes = [volume]
        definition.disks.append(DomainDisk(role: .volume(volume), path: disk, format: .qcow2))
        try await driver.define(definition)
        try await driver.start(server, paused: true)
        for _ in 0..<2 { try await driver.detach([.volume(volume.id)], from: server) }
        try await Task.sleep(for: .milliseconds(500))
        #expect(try await devices(server)?.volumes == [volume.id])
        try await driver.destroy(server)
        try await driver.undefine(server)
    }

    @Test("a running guest's disk is copied as it is at one moment, and the guest tells what it takes")
    func copyAndQuestions() async throws {
        let definition = try await definition(number: 0x7FFF_0012)
        let server = definition.spec.id
        let root = definition.disks[0].path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let target = folder + "/copy.qcow2"
        _ = try await run("qemu-img", "create", "-q", "-f", "qcow2", target, "32M")
        try await driver.define(definition)
        try await driver.start(server, paused: false)
        try await driver.copyDisk(at: root, of: server, to: target, within: .seconds(60))
        #expect(try await driver.observe()[server]?.power == .running)
        // Nothing of the guest's own is changed, and the copy stands alone.
        let chain = try await run("qemu-img", "info", "-U", "--backing-chain", root)
        #expect(!chain.contains("backing file"))
        _ = try await run("qemu-img", "check", "-q", target)
        let diagnostics = try await driver.diagnose(server)
        #expect(diagnostics.power == .running && diagnostics.processorTimes.count == 1)
        #expect(diagnostics.disks.count == 1 && diagnostics.disks[0].readBytes > 0)
        #expect(diagnostics.maximumMemoryMiB == 192)
        try await driver.injectNMI(server)
        let error = await #expect(throws: StatusError.self) {
            try await driver.setPassword("s3cret", of: "root", on: server)
        }
        #expect(error?.message == "QEMU guest agent is not enabled")
        await #expect(throws: StatusError.self) {
            try await driver.copyDisk(at: folder + "/other", of: server, to: target, within: .seconds(5))
        }
        try await driver.destroy(server)
        // The guest was still writing, so the two differ in what came after; the copy starts all the same.
        _ = try await run("mv", target, root)
        try await driver.start(server, paused: false)
        try await driver.destroy(server)
        await #expect(throws: StatusError.self) { _ = try await driver.diagnose(server) }
        try await driver.undefine(server)
    }
}
