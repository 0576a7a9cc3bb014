import AgentCompute
import AgentCore
import AgentStorage
import Foundation
import Logging
import ProtocolModel
import Testing
import TestsSupportRandomness

/// Volumes of a real QEMU under a real libvirtd, whose guest never gets as far as to write: its disk is written through
/// QEMU's monitor. See ``LibvirtDriverTests``.
@Suite(
    "volumes under a real QEMU", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: ProcessInfo.processInfo.environment["SKERRY_LIBVIRT_URI"] != nil, "needs SKERRY_LIBVIRT_URI"))
struct LibvirtVolumesTests {
    static let gib = Int64(1) << 30
    let uri = ProcessInfo.processInfo.environment["SKERRY_LIBVIRT_URI"] ?? ""
    let server = ServerID.fresh()
    let volume = VolumeSpec(id: .fresh(), project: .fresh(), pool: "local", sizeGiB: 1)
    let folder = FileManager.default.temporaryDirectory.path + "/skerry-volumes-\(UUID())"
    let driver: LibvirtDriver
    let pool: FilePool

    struct NoImages: ImageFiles {
        func path(of image: ImageSpec) -> String { "/nowhere" }
    }

    init() {
        let logger = Logger(label: "test")
        driver = LibvirtDriver(uri: uri, settings: HypervisorSettings(virtType: .qemu), logger: logger)
        pool = FilePool(
            .init(folder: folder, reservedGiB: 0), images: NoImages(), attached: driver, logger: logger)
    }

    @discardableResult
    private func run(_ words: String...) throws -> String {
        let (status, output) = try attempt(words)
        try #require(status == 0, "\(words.joined(separator: " ")): \(output)")
        return output
    }

    private func attempt(_ words: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    private func define() throws {
        let xml = """
            <domain type='qemu'><name>skerry-volumes-\(server.short)</name><uuid>\(server)</uuid>
            <metadata><skerry:instance xmlns:skerry='\(DomainXML.metadataNamespace)'>
            <skerry:server>\(server)</skerry:server><skerry:digest>d</skerry:digest></skerry:instance></metadata>
            <memory unit='MiB'>64</memory><vcpu>1</vcpu>
            <os><type arch='x86_64' machine='q35'>hvm</type></os>
            <devices><controller type='usb' model='none'/><disk type='file' device='disk'>
            <driver name='qemu' type='qcow2' discard='unmap'/><source file='\(pool.location(of: volume.id).path)'/>
            <target dev='vdb' bus='virtio'/><serial>\(volume.id)</serial><alias name='ua-volume'/></disk></devices></domain>
            """
        let path = folder + "/domain.xml"
        try xml.write(toFile: path, atomically: true, encoding: .utf8)
        try run("virsh", "-c", uri, "define", path)
    }

    /// Has QEMU itself write or read the first 64 KiB of the guest's disk.
    private func io(_ command: String) throws -> String {
        try run(
            "virsh", "-c", uri, "qemu-monitor-command", server.text, "--hmp",
            "qemu-io -d /machine/peripheral/ua-volume/virtio-backend \"\(command) 0 64k\"")
    }

    private func holds(_ pattern: Int, _ path: String) throws -> Bool {
        let output = try run("qemu-io", "-r", "-U", "-f", "qcow2", "-c", "read -P \(pattern) 0 64k", path)
        return !output.contains("failed")
    }

    private func remove() {
        for words in [["destroy", server.text], ["undefine", server.text, "--managed-save"]] {
            _ = try? attempt(["virsh", "-c", uri] + words)
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Test("snapshots, clones and a larger size under a guest that runs, and what it is started from next")
    func life() async throws {
        try await pool.create(volume)
        try define()
        defer { remove() }
        let location = pool.location(of: volume.id).path
        // (Other tests have guests on this libvirt, too.)
        #expect(try await driver.attachments()[volume.id] == nil)
        try await driver.start(server, paused: true)
        #expect(try await driver.attachments()[volume.id] == [VolumeAttachment(server: server, path: location)])
        #expect(try !io("write -P 1").contains("error"))

        let snapshots = (0..<2).map { _ in VolumeSnapshotID.fresh() }
        try await pool.snapshot(volume.id, as: snapshots[0])
        #expect(try !io("write -P 2").contains("error"))
        try await pool.snapshot(volume.id, as: snapshots[1])
        #expect(try !io("write -P 3").contains("error"))
        let clone = VolumeSpec(
            id: .fresh(), project: .fresh(), pool: "local", sizeGiB: 1, source: .volume(volume.id))
        try await pool.create(clone)
        #expect(try !io("write -P 4").contains("error"))
        let attachment = try await driver.attachments()[volume.id]?.first
        #expect(attachment?.path != location && attachment?.isRunning == true)
        #expect(try holds(1, "\(folder)/snapshot-\(snapshots[0])"))
        #expect(try holds(2, "\(folder)/snapshot-\(snapshots[1])"))
        #expect(try holds(3, pool.location(of: clone.id).path))

        try await pool.extend(volume.id, toBytes: 2 * Self.gib)
        #expect(try await pool.observe().volumes[volume.id]?.sizeBytes == 2 * Self.gib)
        try await pool.extend(volume.id, toBytes: 2 * Self.gib)
        await #expect(throws: StatusError.self) { try await pool.remove(volume.id) }
        await pool.tick()

        // What the guest is started from next is the volume, wherever it leads by then.
        let next = try run("virsh", "-c", uri, "dumpxml", "--inactive", server.text)
        #expect(next.contains("file='\(location)'") && !next.contains("backingStore type"), "\(next)")
        try await driver.destroy(server)
        #expect(try holds(4, location))
        try await pool.snapshot(volume.id, as: .fresh())
        try await driver.start(server, paused: true)
        #expect(try !io("read -P 4").contains("failed"))
        #expect(try !io("write -P 5").contains("error"))

        // Its memory goes to disk: its disks stay as they are.
        try await driver.save(server)
        #expect(try await driver.attachments()[volume.id]?.first?.isRunning == false)
        await #expect(throws: StatusError.self) { try await pool.snapshot(volume.id, as: .fresh()) }
        try await driver.undefine(server)
        #expect(try holds(5, location))
        try await pool.remove(volume.id)
        #expect(try holds(1, "\(folder)/snapshot-\(snapshots[0])"))
    }
}
