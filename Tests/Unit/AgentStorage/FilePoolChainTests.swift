import AgentCore
import AgentStorage
import FoundationEssentials
import ProtocolModel
import Testing

@Suite("chains of layers", .timeLimit(.minutes(3)))
struct FilePoolChainTests {
    /// A volume with so many layers under it, each with something of its own; snapshots of them all.
    private func deep(
        _ count: Int, in fixture: PoolFixture, from source: VolumeSpec.Source = .empty
    ) async throws -> (volume: VolumeID, snapshots: [VolumeSnapshotID]) {
        let volume = PoolFixture.volume(from: source)
        try await fixture.pool.create(volume)
        var snapshots: [VolumeSnapshotID] = []
        for number in 1...count {
            try await fixture.write(UInt8(number), at: number, to: fixture.path(volume.id))
            // Each hides something of the one before.
            try await fixture.write(UInt8(100 + number), at: 100, to: fixture.path(volume.id))
            let snapshot = VolumeSnapshotID.fresh()
            try await fixture.pool.snapshot(volume.id, as: snapshot)
            snapshots.append(snapshot)
        }
        return (volume.id, snapshots)
    }

    private func holdsAll(_ count: Int, _ path: String, in fixture: PoolFixture) async throws -> Bool {
        for number in 1...count {
            guard try await fixture.holds(UInt8(number), at: number, in: path) else { return false }
        }
        return try await fixture.holds(UInt8(100 + count), at: 100, in: path)
    }

    @Test("layers that nothing else needs become one, and every link shows what it did")
    func merges() async throws {
        let fixture = try PoolFixture(usualChain: 3)
        let (volume, snapshots) = try await deep(6, in: fixture)
        // Below its usual length, nothing is touched.
        let kept = snapshots[3]
        for snapshot in snapshots where snapshot != kept { try await fixture.pool.remove(snapshot) }
        #expect(fixture.names.count == 9, "\(fixture.names)")
        while await fixture.pool.shorten() {}
        // The volume's own, what is between, and what the snapshot holds.
        #expect(fixture.names.count == 5, "\(fixture.names)")
        #expect(try await holdsAll(6, fixture.path(volume), in: fixture))
        #expect(try await holdsAll(4, fixture.path(kept), in: fixture))
        #expect(try await fixture.holds(0, at: 5, in: fixture.path(kept)))
        #expect(try await fixture.isSound())
        // And it goes on from there, also as a new agent sees it.
        let pool = fixture.reopened()
        try await fixture.write(77, at: 50, to: fixture.path(volume))
        try await pool.snapshot(volume, as: .fresh())
        #expect(try await fixture.holds(77, at: 50, in: fixture.path(volume)))
        while await pool.shorten() {}
        #expect(try await fixture.holds(77, at: 50, in: fixture.path(volume)))
        #expect(try await holdsAll(4, fixture.path(kept), in: fixture))
    }

    @Test("where every layer is a snapshot, a chain near its end is cut by a copy, down to the image")
    func copies() async throws {
        let fixture = try PoolFixture(longestChain: 6, usualChain: 3)
        var bytes = FileServerStorageTests.raw
        bytes += [UInt8](repeating: 0, count: 512 - bytes.count % 512)
        let image = StorageFixture.image(bytes, .raw)
        try await fixture.storage.storage.fetchImage(image, from: TestSource(bytes: bytes))
        let (volume, snapshots) = try await deep(4, in: fixture, from: .image(image))
        await #expect(throws: StatusError.self) { try await fixture.pool.snapshot(volume, as: .fresh()) }
        while await fixture.pool.shorten() {}
        #expect(try await holdsAll(4, fixture.path(volume), in: fixture))
        for (index, snapshot) in snapshots.enumerated() {
            #expect(try await holdsAll(index + 1, fixture.path(snapshot), in: fixture))
        }
        // What could not be done any more before can be done now, again and again.
        for number in 5...9 {
            try await fixture.write(UInt8(number), at: number, to: fixture.path(volume))
            try await fixture.pool.snapshot(volume, as: .fresh())
            while await fixture.pool.shorten() {}
        }
        for number in 1...9 {
            #expect(try await fixture.holds(UInt8(number), at: number, in: fixture.path(volume)))
        }
        #expect(try await fixture.isSound())
    }

    @Test("cut off anywhere, everything is as it was, and nothing is left of the attempt")
    func cutOff() async throws {
        let fixture = try PoolFixture(usualChain: 3)
        let (volume, snapshots) = try await deep(5, in: fixture)
        for snapshot in snapshots { try await fixture.pool.remove(snapshot) }
        for step in 0..<30 {
            let dying = fixture.reopened()
            fixture.faults.strike(at: step)
            let isDone = await dying.shorten()
            let next = fixture.reopened()
            #expect(try await holdsAll(5, fixture.path(volume), in: fixture))
            // Removing anything tidies up.
            try await next.remove(VolumeSnapshotID.fresh())
            #expect(fixture.names.allSatisfy { !$0.hasSuffix(".part") }, "\(step): \(fixture.names)")
            if isDone { break }
            try #require(step < 29)
        }
        #expect(fixture.names.count < 6)
        #expect(try await fixture.isSound())
    }

    @Test("a copy for an image holds what was there when it began, and leaves nothing", arguments: ["raw", "qcow2"])
    func copiesForImages(format: String) async throws {
        let fixture = try PoolFixture()
        let volume = PoolFixture.volume()
        try await fixture.pool.create(volume)
        let path = fixture.path(volume.id)
        try await fixture.write(1, at: 0, to: path)
        let operation = OperationID.fresh()
        try await fixture.pool.beginCopy(of: volume.id, for: operation)
        try await fixture.write(2, at: 0, to: path)
        await fixture.pool.tick()
        let file = try await fixture.pool.copy(
            for: operation, as: ImageSpec.DiskFormat(rawValue: format) ?? .raw, within: .seconds(60))
        await fixture.pool.tick()
        let head = try await file.read(at: 0, count: 4)
        if format == "raw" {
            #expect(file.sizeBytes == PoolFixture.gib && head == [1, 1, 1, 1])
        } else {
            #expect(file.sizeBytes < 1 << 20 && head == [0x51, 0x46, 0x49, 0xFB])
        }
        await fixture.pool.endCopy(for: operation)
        #expect(fixture.names(with: "copy-").isEmpty)
        #expect(try await fixture.holds(2, at: 0, in: path))
        // What an agent left that died is gone with its next look.
        try await fixture.pool.beginCopy(of: volume.id, for: operation)
        _ = try await fixture.pool.copy(for: operation, as: .qcow2, within: .seconds(60))
        let pool = fixture.reopened()
        await pool.tick()
        #expect(fixture.names(with: "copy-").isEmpty)
        try await pool.remove(volume.id)
        #expect(fixture.names.isEmpty)
    }

    @Test("an image that has to be copied holds up no other volume of the pool")
    func slowImage() async throws {
        // Another file system than the test's own.
        let far = "/dev/shm/skerry-\(AnyID.fresh())"
        try FileManager.default.createDirectory(atPath: far, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: far) }
        var bytes = FileServerStorageTests.raw
        bytes += [UInt8](repeating: 0, count: 512 - bytes.count % 512)
        let image = StorageFixture.image(bytes, .raw)
        try Data(bytes).write(to: URL(filePath: far + "/image"))
        let fixture = try PoolFixture()
        let pool = fixture.pool(images: FarImages(path: far + "/image"))
        let (slow, gate) = (PoolFixture.volume(from: .image(image)), Gate())
        fixture.faults.hold("copy image-", at: gate)
        let work = Task { try await pool.create(slow) }
        await gate.reached()
        let other = PoolFixture.volume()
        try await pool.create(other)
        await pool.tick()
        #expect(try await pool.observe().volumes.keys.sorted() == [other.id])
        gate.open()
        try await work.value
        #expect(try await pool.observe().volumes.count == 2)
        #expect(fixture.names(with: "image-") == ["image-\(image.sha512).raw"])
    }
}

private struct FarImages: ImageFiles {
    let path: String

    func path(of image: ImageSpec) -> String { path }
}
