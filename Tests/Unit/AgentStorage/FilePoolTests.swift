import AgentCore
import AgentStorage
import FoundationEssentials
import ProtocolModel
import Testing

@Suite("a pool of files", .timeLimit(.minutes(3)))
struct FilePoolTests {
    @Test("what is written is in the snapshot and in the clones of it, and nothing that comes later is")
    func snapshotsAndClones() async throws {
        let fixture = try PoolFixture()
        let (pool, volume) = (fixture.pool, PoolFixture.volume())
        try await pool.create(volume)
        let path = fixture.path(volume.id)
        try await fixture.write(1, at: 0, to: path)
        let snapshot = VolumeSnapshotID.fresh()
        for _ in 0..<2 { try await pool.snapshot(volume.id, as: snapshot) }
        try await fixture.write(2, at: 0, to: path)

        let clone = PoolFixture.volume(2, from: .snapshot(snapshot, of: volume.id))
        let copy = PoolFixture.volume(from: .volume(volume.id))
        for spec in [clone, copy] { for _ in 0..<2 { try await pool.create(spec) } }
        try await fixture.write(3, at: 0, to: path)
        try await fixture.write(4, at: 1500, to: fixture.path(clone.id))

        #expect(try await fixture.holds(3, at: 0, in: path))
        #expect(try await fixture.holds(1, at: 0, in: fixture.path(snapshot)))
        #expect(try await fixture.holds(1, at: 0, in: fixture.path(clone.id)))
        #expect(try await fixture.holds(4, at: 1500, in: fixture.path(clone.id)))
        #expect(try await fixture.holds(2, at: 0, in: fixture.path(copy.id)))
        let contents = try await pool.observe()
        #expect(contents.volumes[clone.id]?.sizeBytes == 2 * PoolFixture.gib && contents.volumes.count == 3)
        #expect(contents.snapshots == [snapshot: StoredSnapshot(sizeBytes: PoolFixture.gib)])

        // Nothing goes that something stands on, and in the end all of it does.
        try await pool.remove(volume.id)
        try await pool.remove(snapshot)
        #expect(try await fixture.holds(1, at: 0, in: fixture.path(clone.id)))
        #expect(try await fixture.isSound())
        for id in [clone.id, copy.id] { for _ in 0..<2 { try await pool.remove(id) } }
        #expect(fixture.names.isEmpty)
    }

    @Test("a volume goes back to its snapshot once, and on from there")
    func reverts() async throws {
        let fixture = try PoolFixture()
        let (pool, volume, snapshot) = (fixture.pool, PoolFixture.volume(), VolumeSnapshotID.fresh())
        try await pool.create(volume)
        let path = fixture.path(volume.id)
        try await fixture.write(1, at: 0, to: path)
        try await pool.snapshot(volume.id, as: snapshot)
        try await fixture.write(2, at: 0, to: path)
        let reversion = VolumeSpec.Reversion(version: 1, snapshot: snapshot)
        try await pool.revert(volume.id, to: reversion)
        #expect(try await fixture.holds(1, at: 0, in: path))
        #expect(try await pool.observe().volumes[volume.id]?.reversion == 1)
        try await fixture.write(3, at: 0, to: path)
        // Once is once, also after another snapshot.
        try await pool.snapshot(volume.id, as: .fresh())
        try await pool.revert(volume.id, to: reversion)
        #expect(try await fixture.holds(3, at: 0, in: path))
        try await pool.revert(volume.id, to: .init(version: 2, snapshot: snapshot))
        #expect(try await fixture.holds(1, at: 0, in: path))
        let gone = await #expect(throws: StatusError.self) {
            try await pool.revert(volume.id, to: .init(version: 3, snapshot: .fresh()))
        }
        #expect(gone?.code == .hostFailure)
        #expect(try await fixture.isSound())
    }

    @Test("a volume grows, keeps what it holds, and is empty behind that; a snapshot stays as small as it was")
    func extends() async throws {
        let fixture = try PoolFixture()
        let (pool, volume, snapshot) = (fixture.pool, PoolFixture.volume(), VolumeSnapshotID.fresh())
        try await pool.create(volume)
        let path = fixture.path(volume.id)
        // Nothing was written: no layer more.
        try await pool.extend(volume.id, toBytes: 2 * PoolFixture.gib)
        #expect(fixture.names.count == 2)
        try await fixture.write(7, at: 2000, to: path)
        try await pool.snapshot(volume.id, as: snapshot)
        for _ in 0..<2 { try await pool.extend(volume.id, toBytes: 3 * PoolFixture.gib) }
        #expect(try await fixture.holds(7, at: 2000, in: path))
        #expect(try await fixture.holds(0, at: 3000, in: path))
        let contents = try await pool.observe()
        #expect(contents.volumes[volume.id]?.sizeBytes == 3 * PoolFixture.gib)
        #expect(contents.snapshots[snapshot]?.sizeBytes == 2 * PoolFixture.gib)
        // It never becomes smaller.
        try await pool.extend(volume.id, toBytes: PoolFixture.gib)
        #expect(try await pool.observe().volumes[volume.id]?.sizeBytes == 3 * PoolFixture.gib)
    }

    @Test("an image is taken in once, and stays for its volumes whatever becomes of the cache")
    func images() async throws {
        let fixture = try PoolFixture()
        let (pool, storage) = (fixture.pool, fixture.storage.storage)
        var bytes = FileServerStorageTests.raw
        bytes += [UInt8](repeating: 0, count: 512 - bytes.count % 512)
        let image = StorageFixture.image(bytes, .raw)
        try await storage.fetchImage(image, from: TestSource(bytes: bytes))
        let volumes = (0..<3).map { _ in PoolFixture.volume(from: .image(image)) }
        for volume in volumes { try await pool.create(volume) }
        #expect(fixture.names(with: "image-").count == 1)
        try FileManager.default.removeItem(atPath: storage.path(of: image))
        try await pool.create(PoolFixture.volume(from: .image(image)))

        let whole = try await StorageFixture.run(
            "qemu-img", "convert", "-f", "qcow2", "-O", "raw", fixture.path(volumes[0].id),
            fixture.storage.path("whole"))
        #expect(whole.succeeded, "\(whole.output)")
        try fixture.storage.write(bytes, "image")
        #expect(try await fixture.begins("whole", as: "image", bytes.count))

        // A snapshot of an untouched volume is as large as the volume, not as the image.
        let snapshot = VolumeSnapshotID.fresh()
        try await pool.snapshot(volumes[0].id, as: snapshot)
        #expect(try await pool.observe().snapshots[snapshot]?.sizeBytes == PoolFixture.gib)

        let large = try #require(Qcow2Disk.bytes(virtualSize: 3 << 30, backing: nil))
        let largeImage = StorageFixture.image(large, .qcow2)
        try await storage.fetchImage(largeImage, from: TestSource(bytes: large, chunk: 100_000))
        let error = await #expect(throws: StatusError.self) {
            try await pool.create(PoolFixture.volume(2, from: .image(largeImage)))
        }
        #expect(error?.code == .badImage && error?.message.contains("3 GiB") == true)
        await pool.tick()
        #expect(fixture.names(with: "image-") == ["image-\(image.sha512).raw"])
    }

    @Test("a guest that writes a qcow2 header with a backing file onto its disk is read as it wrote")
    func hostile() async throws {
        let fixture = try PoolFixture()
        let pool = fixture.pool
        try Data("the host's secret".utf8).write(to: URL(filePath: fixture.storage.path("secret")))
        let header = try #require(
            Qcow2Disk.bytes(
                virtualSize: 1 << 20, backing: .init(path: fixture.storage.path("secret"), format: "raw")))
        // As an image that is said to be raw, and as what a guest wrote.
        let image = StorageFixture.image(header, .raw)
        try await fixture.storage.storage.fetchImage(image, from: TestSource(bytes: header, chunk: 100_000))
        let volume = PoolFixture.volume(from: .image(image))
        try await pool.create(volume)
        try fixture.storage.write(header, "header")
        let written = PoolFixture.volume()
        try await pool.create(written)
        let wrote = try await StorageFixture.run(
            "qemu-io", "-f", "qcow2", "-c", "write -s \(fixture.storage.path("header")) 0 \(header.count)",
            fixture.path(written.id))
        try #require(wrote.succeeded, "\(wrote.output)")
        for (number, id) in [volume.id, written.id].enumerated() {
            let snapshot = VolumeSnapshotID.fresh()
            try await pool.snapshot(id, as: snapshot)
            let clone = PoolFixture.volume(from: .snapshot(snapshot, of: id))
            try await pool.create(clone)
            let target = "out-\(number)"
            let read = try await StorageFixture.run(
                "qemu-img", "convert", "-f", "qcow2", "-O", "raw", fixture.path(clone.id),
                fixture.storage.path(target))
            try #require(read.succeeded, "\(read.output)")
            #expect(try await fixture.begins(target, as: "header", header.count))
            #expect(try await pool.observe().volumes[clone.id]?.sizeBytes == PoolFixture.gib)
        }
    }

    @Test("a pool that is full or promised away takes nothing new, and what is there goes on")
    func limits() async throws {
        let full = try PoolFixture(reservedGiB: 16_000_000)
        let error = await #expect(throws: StatusError.self) { try await full.pool.create(PoolFixture.volume()) }
        #expect(error?.code == .noSpace)
        #expect(full.names.isEmpty)

        let promised = try PoolFixture(overcommitPercent: 100)
        let size = try await promised.pool.capacity().totalGiB
        let first = PoolFixture.volume(size + 1)
        try await promised.pool.create(first)
        await #expect(throws: StatusError.self) { try await promised.pool.create(PoolFixture.volume()) }
        for _ in 0..<2 { try await promised.pool.create(first) }
        try await promised.pool.snapshot(first.id, as: .fresh())
        #expect(try await promised.pool.capacity().problem.contains("promised"))
    }

    @Test("a chain has an end: what would make it longer is refused, and leaves nothing behind")
    func depth() async throws {
        let fixture = try PoolFixture(longestChain: 3)
        let (pool, volume) = (fixture.pool, PoolFixture.volume())
        try await pool.create(volume)
        for number in 0..<3 {
            try await fixture.write(1, at: number, to: fixture.path(volume.id))
            guard number < 2 else { break }
            try await pool.snapshot(volume.id, as: .fresh())
        }
        let names = fixture.names
        let error = await #expect(throws: StatusError.self) { try await pool.snapshot(volume.id, as: .fresh()) }
        #expect(error?.code == .unsupported)
        #expect(fixture.names == names)
    }

    @Test("data that is missing is neither forgotten nor made anew, and the pool says so")
    func lost() async throws {
        let fixture = try PoolFixture()
        let (pool, volume) = (fixture.pool, PoolFixture.volume())
        try await pool.create(volume)
        let layer = try #require(fixture.names.first { $0.hasSuffix(".qcow2") })
        try FileManager.default.removeItem(atPath: fixture.storage.path("pool/\(layer)"))
        #expect(try await pool.observe().volumes.isEmpty)
        #expect(try await pool.capacity().problem.contains("no data"))
        await pool.tick()
        #expect(fixture.names == ["volume-\(volume.id)"])
    }

    @Test("what is not ours in the folder is left alone")
    func strangers() async throws {
        let fixture = try PoolFixture()
        let volume = PoolFixture.volume()
        try await fixture.pool.create(volume)
        let strange = ["notes.txt", "volume-1", "disk.qcow2", "lost+found"]
        for name in strange { try fixture.storage.write([1], "pool/\(name)") }
        try await fixture.pool.remove(volume.id)
        await fixture.pool.tick()
        #expect(Set(fixture.names) == Set(strange))
    }
}
