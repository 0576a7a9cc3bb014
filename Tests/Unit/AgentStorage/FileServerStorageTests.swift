import AgentCore
import AgentStorage
import FoundationEssentials
import ProtocolModel
import Testing

@Suite("file storage")
struct FileServerStorageTests {
    static let raw = [UInt8]((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })

    @Test("an image is fetched once, however many want it, and is whole or absent")
    func fetch() async throws {
        let fixture = try StorageFixture()
        let image = StorageFixture.image(Self.raw, .raw)
        #expect(await !fixture.storage.hasImage(image))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { try await fixture.storage.fetchImage(image, from: TestSource(bytes: Self.raw)) }
            }
            try await group.waitForAll()
        }
        #expect(await fixture.storage.hasImage(image))
        let path = fixture.path("state/images/\(image.sha512).raw")
        #expect(try fixture.bytes(path) == Self.raw)
        #expect(try await StorageFixture.run("stat", "-c", "%a", path).output == "444\n")
    }

    @Test("a transfer that broke is resumed where it broke")
    func resume() async throws {
        let fixture = try StorageFixture()
        let image = StorageFixture.image(Self.raw, .raw)
        let broken = await #expect(throws: StatusError.self) {
            try await fixture.storage.fetchImage(image, from: TestSource(bytes: Self.raw, breakAfter: 123_456))
        }
        #expect(broken?.code == .timedOut)
        #expect(await !fixture.storage.hasImage(image))
        // Bytes before the break are not asked for again: the source's are wrong.
        var altered = Self.raw
        altered[0] ^= 1
        try await fixture.storage.fetchImage(image, from: TestSource(bytes: altered))
        #expect(await fixture.storage.hasImage(image))
    }

    @Test("altered, long and unsafe images are refused, and the next attempt begins anew")
    func refused() async throws {
        let fixture = try StorageFixture()
        let image = StorageFixture.image(Self.raw, .raw)
        var altered = Self.raw
        altered[200_000] ^= 1
        for bytes in [altered, Self.raw + [0]] {
            let error = await #expect(throws: StatusError.self) {
                try await fixture.storage.fetchImage(image, from: TestSource(bytes: bytes))
            }
            #expect(error?.code == .badImage)
        }
        try await fixture.storage.fetchImage(image, from: TestSource(bytes: Self.raw))

        let unsafe = try #require(
            Qcow2Disk.bytes(virtualSize: 1 << 20, backing: .init(path: "/etc/shadow", format: "raw")))
        let unsafeImage = StorageFixture.image(unsafe, .qcow2)
        let error = await #expect(throws: StatusError.self) {
            try await fixture.storage.fetchImage(unsafeImage, from: TestSource(bytes: unsafe))
        }
        #expect(error?.code == .badImage && error?.message.contains("backing file") == true)
        var climbing = image
        climbing.sha512 = "../../etc/passwd"
        await #expect(throws: StatusError.self) {
            try await fixture.storage.fetchImage(climbing, from: TestSource(bytes: Self.raw))
        }
    }

    @Test("disks are made, kept, replaced with a new version, and removed")
    func disks() async throws {
        let fixture = try StorageFixture()
        let storage = fixture.storage
        let image = StorageFixture.image(Self.raw, .raw)
        try await storage.fetchImage(image, from: TestSource(bytes: Self.raw))
        var spec = StorageFixture.server(image) {
            $0.ephemeralGiB = 1
            $0.swapMiB = 4
            $0.hasConfigDrive = true
        }
        #expect(try await storage.observe().isEmpty)
        for _ in 0..<2 { try await storage.makeDisks(spec) }
        for _ in 0..<2 { try await storage.makeConfigDrive(spec, content: DiskFormatTests.content) }
        let expected = ServerFiles(
            rootDiskVersion: 0, rootBytes: 1 << 30, ephemeral: .init(version: 0, bytes: 1 << 30),
            swap: .init(version: 0, bytes: 4 << 20), configDriveDigest: DiskFormatTests.content.digest)
        #expect(try await storage.observe() == [spec.id: expected])
        let disks = storage.disks(of: spec)
        #expect(disks.map(\.role) == [.root, .ephemeral, .swap, .configDrive])
        #expect(disks.allSatisfy { FileManager.default.fileExists(atPath: $0.path) })
        let info = try await StorageFixture.run("qemu-img", "info", "--output=json", disks[0].path)
        #expect(info.output.contains("\"virtual-size\": \(1 << 30),"))

        // A guest's writes survive a repetition.
        _ = try await StorageFixture.run("qemu-io", "-f", "qcow2", "-c", "write -P 9 0 4k", disks[0].path)
        try await storage.makeDisks(spec)
        let kept = try await StorageFixture.run("qemu-io", "-f", "qcow2", "-c", "read -P 9 0 4k", disks[0].path)
        #expect(!kept.output.contains("verification failed"))

        spec.rootDiskVersion = 1
        try await storage.makeDisks(spec)
        #expect(try await storage.observe()[spec.id]?.rootDiskVersion == 1)
        #expect(!FileManager.default.fileExists(atPath: disks[0].path))

        for _ in 0..<2 { try await storage.remove(spec.id) }
        #expect(try await storage.observe().isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path("state/instances")).isEmpty)
    }

    @Test("a larger flavor's disks grow with what is on them, swap is made anew, and nothing becomes smaller")
    func resize() async throws {
        let fixture = try StorageFixture()
        let storage = fixture.storage
        let image = StorageFixture.image(Self.raw, .raw)
        try await storage.fetchImage(image, from: TestSource(bytes: Self.raw))
        var spec = StorageFixture.server(image) { $0.swapMiB = 4 }
        try await storage.makeDisks(spec)
        let root = storage.disks(of: spec)[0].path
        _ = try await StorageFixture.run("qemu-io", "-f", "qcow2", "-c", "write -P 9 0 4k", root)
        (spec.rootGiB, spec.ephemeralGiB, spec.swapMiB) = (3, 1, 8)
        for _ in 0..<2 { try await storage.makeDisks(spec) }
        var files = try #require(try await storage.observe()[spec.id])
        #expect(files.rootBytes == 3 << 30 && files.ephemeral?.bytes == 1 << 30 && files.swap?.bytes == 8 << 20)
        let kept = try await StorageFixture.run("qemu-io", "-f", "qcow2", "-c", "read -P 9 0 4k", root)
        #expect(kept.succeeded && !kept.output.contains("verification failed"))
        (spec.rootGiB, spec.ephemeralGiB, spec.swapMiB) = (1, 0, 0)
        try await storage.makeDisks(spec)
        files = try #require(try await storage.observe()[spec.id])
        #expect(files.rootBytes == 3 << 30 && files.ephemeral?.bytes == 1 << 30 && files.swap == nil)
    }

    @Test("a rescue disk comes and goes beside the server's own, which are behind it in their order")
    func rescue() async throws {
        let fixture = try StorageFixture(imageCacheLimitBytes: 0)
        let storage = fixture.storage
        let image = StorageFixture.image(Self.raw, .raw)
        let other = StorageFixture.image([4, 5, 6], .raw)
        try await storage.fetchImage(image, from: TestSource(bytes: Self.raw))
        try await storage.fetchImage(other, from: TestSource(bytes: [4, 5, 6]))
        var spec = StorageFixture.server(image) { $0.swapMiB = 4 }
        try await storage.makeDisks(spec)
        for version in 1...2 {
            spec.rescue = ServerSpec.Rescue(version: version, image: other, adminPassword: "")
            for _ in 0..<2 { try await storage.makeRescueDisk(spec) }
            #expect(try await storage.observe()[spec.id]?.rescueVersion == version)
        }
        let disks = storage.disks(of: spec)
        #expect(disks.map(\.role) == [.rescue, .root, .swap])
        #expect(disks.allSatisfy { FileManager.default.fileExists(atPath: $0.path) })
        await storage.sweepImages(keeping: [])
        #expect(await storage.hasImage(other))
        for _ in 0..<2 { try await storage.removeRescueDisk(spec.id) }
        let files = try await storage.observe()[spec.id]
        #expect(files?.rescueVersion == nil && files?.rootDiskVersion == 0 && files?.swap != nil)
    }

    @Test("a snapshot is flat, compressed and of the right size, from the disk or from what was copied of it")
    func snapshots() async throws {
        let fixture = try StorageFixture()
        let storage = fixture.storage
        let image = StorageFixture.image(Self.raw, .raw)
        try await storage.fetchImage(image, from: TestSource(bytes: Self.raw))
        let spec = StorageFixture.server(image)
        try await storage.makeDisks(spec)
        let root = storage.disks(of: spec)[0].path
        _ = try await StorageFixture.run("qemu-io", "-f", "qcow2", "-c", "write -P 9 1M 64k", root)
        for isLive in [false, true] {
            let operation = OperationID.fresh()
            if isLive {
                let target = try await storage.makeSnapshotTarget(of: spec, for: operation)
                _ = try await StorageFixture.run("qemu-io", "-f", "qcow2", "-c", "write -P 9 1M 64k", target)
            }
            let file = try await storage.makeSnapshot(of: spec, for: operation, within: .seconds(60))
            let bytes = try await file.read(at: 0, count: Int(file.sizeBytes) + 1)
            #expect(bytes.count == Int(file.sizeBytes) && bytes.count < 1 << 20)
            try fixture.write(bytes, "snapshot.qcow2")
            let path = fixture.path("snapshot.qcow2")
            let info = try await StorageFixture.run("qemu-img", "info", "--output=json", path)
            #expect(info.output.contains("\"virtual-size\": \(1 << 30),") && !info.output.contains("backing"))
            let read = try await StorageFixture.run("qemu-io", "-f", "qcow2", "-c", "read -P 9 1M 64k", path)
            #expect(read.succeeded && !read.output.contains("verification failed"))
            await storage.removeSnapshot(for: operation)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path("state/snapshots")).isEmpty)
        // What an agent left that died goes with the next sweep.
        try fixture.write([1], "state/snapshots/\(OperationID.fresh()).copy")
        await storage.sweepImages(keeping: [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path("state/snapshots")).isEmpty)
    }

    @Test("a server that starts from a volume has no root disk, and an earlier plan removes no later disk")
    func otherVersions() async throws {
        let fixture = try StorageFixture()
        let storage = fixture.storage
        let image = StorageFixture.image(Self.raw, .raw)
        try await storage.fetchImage(image, from: TestSource(bytes: Self.raw))
        var spec = StorageFixture.server(image) { $0.rootDiskVersion = 2 }
        try await storage.makeDisks(spec)
        let later = storage.disks(of: spec)[0].path
        spec.rootDiskVersion = 1
        try await storage.makeDisks(spec)
        #expect(FileManager.default.fileExists(atPath: later))
        #expect(try await storage.observe()[spec.id]?.rootDiskVersion == 2)
        let fromVolume = StorageFixture.server(image) {
            $0.image = nil
            $0.ephemeralGiB = 1
        }
        try await storage.makeDisks(fromVolume)
        let files = try await storage.observe()[fromVolume.id]
        #expect(files?.rootDiskVersion == nil && files?.ephemeral == .init(version: 0, bytes: 1 << 30))
        #expect(storage.disks(of: fromVolume).map(\.role) == [.ephemeral])
    }

    @Test("a disk smaller than its image is refused, and size 0 means the image's")
    func sizes() async throws {
        let fixture = try StorageFixture()
        let bytes = try #require(Qcow2Disk.bytes(virtualSize: 3 << 30, backing: nil))
        let image = StorageFixture.image(bytes, .qcow2)
        try await fixture.storage.fetchImage(image, from: TestSource(bytes: bytes, chunk: 100_000))
        let small = StorageFixture.server(image) { $0.rootGiB = 2 }
        let error = await #expect(throws: StatusError.self) { try await fixture.storage.makeDisks(small) }
        #expect(error?.message.contains("3 GiB") == true)
        let same = StorageFixture.server(image) { $0.rootGiB = 0 }
        try await fixture.storage.makeDisks(same)
        let path = fixture.storage.disks(of: same)[0].path
        let info = try await StorageFixture.run("qemu-img", "info", "--backing-chain", "--output=json", path)
        #expect(info.output.contains("\"virtual-size\": \(3 << 30),"), "\(info.output)")
    }

    @Test("the console's tail goes on into rotated logs")
    func console() async throws {
        let fixture = try StorageFixture()
        let image = StorageFixture.image(Self.raw, .raw)
        let spec = StorageFixture.server(image)
        #expect(try await fixture.storage.consoleLog(of: spec.id, maximumBytes: 100).isEmpty)
        try await fixture.storage.makeConfigDrive(spec, content: ConfigDriveContent(files: []))
        let log = fixture.storage.consoleLogPath(of: spec.id)
        for (suffix, text) in [("", "newest"), (".0", "middle"), (".1", "oldest")] {
            try Data(text.utf8).write(to: URL(filePath: log + suffix))
        }
        for (limit, expected) in [(100, "oldestmiddlenewest"), (8, "lenewest"), (6, "newest"), (3, "est"), (0, "")] {
            let bytes = try await fixture.storage.consoleLog(of: spec.id, maximumBytes: limit)
            #expect(String(decoding: bytes, as: UTF8.self) == expected)
        }
    }

    @Test("the sweep removes what nobody uses, the longest unused first, and only above the limit")
    func sweepPlan() {
        let entries = [
            ImageSweep.Entry(name: "old", bytes: 10, lastUsed: 1, isNeeded: false),
            ImageSweep.Entry(name: "older", bytes: 10, lastUsed: 0, isNeeded: false),
            ImageSweep.Entry(name: "needed", bytes: 10, lastUsed: 0, isNeeded: true),
            ImageSweep.Entry(name: "fresh", bytes: 10, lastUsed: 95, isNeeded: false)
        ]
        #expect(ImageSweep.plan(entries, now: 100, limitBytes: 40, idleSeconds: 10) == [])
        #expect(ImageSweep.plan(entries, now: 100, limitBytes: 30, idleSeconds: 10) == ["older"])
        #expect(ImageSweep.plan(entries, now: 100, limitBytes: 0, idleSeconds: 10) == ["older", "old"])
    }

    @Test("an image that a disk here shows is never swept, whatever the caller says")
    func sweep() async throws {
        let fixture = try StorageFixture(imageCacheLimitBytes: 0)
        let used = StorageFixture.image(Self.raw, .raw)
        let unused = StorageFixture.image([1, 2, 3], .raw)
        try await fixture.storage.fetchImage(used, from: TestSource(bytes: Self.raw))
        try await fixture.storage.fetchImage(unused, from: TestSource(bytes: [1, 2, 3]))
        try await fixture.storage.makeDisks(StorageFixture.server(used))
        await fixture.storage.sweepImages(keeping: [unused.sha512])
        #expect(await fixture.storage.hasImage(unused))
        await fixture.storage.sweepImages(keeping: [])
        #expect(await fixture.storage.hasImage(used))
        #expect(await !fixture.storage.hasImage(unused))
    }

    @Test("capacity is that of the file system")
    func capacity() async throws {
        let fixture = try StorageFixture()
        let capacity = try await fixture.storage.capacity()
        #expect(capacity.totalGiB > 0 && capacity.freeGiB <= capacity.totalGiB)
    }
}
