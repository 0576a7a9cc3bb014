import AgentCore
import AgentStorage
import FoundationEssentials
import ProtocolModel
import Testing

@Suite("volumes under guests", .timeLimit(.minutes(3)))
struct FilePoolGuestTests {
    static let refusal = StatusError(code: .hostFailure, message: "No.", detail: "")

    /// A volume that a played guest has, with something written to it.
    private func attached(
        isRunning: Bool = true
    ) async throws -> (fixture: PoolFixture, volume: VolumeID, server: ServerID) {
        let fixture = try PoolFixture()
        let (volume, server) = (PoolFixture.volume(), ServerID.fresh())
        try await fixture.pool.create(volume)
        let path = fixture.path(volume.id)
        try await fixture.write(1, at: 0, to: path)
        fixture.guests.attach(volume.id, VolumeAttachment(server: server, path: path, isRunning: isRunning))
        return (fixture, volume.id, server)
    }

    @Test("a snapshot goes through the guest, and the volume leads to where the guest writes then")
    func snapshot() async throws {
        let (fixture, volume, _) = try await attached()
        let snapshot = VolumeSnapshotID.fresh()
        try await fixture.pool.snapshot(volume, as: snapshot)
        let overlay = try #require(fixture.guests.path(volume))
        #expect(overlay != fixture.path(volume))
        try await fixture.write(2, at: 0, to: overlay)
        #expect(try await fixture.holds(2, at: 0, in: fixture.path(volume)))
        #expect(try await fixture.holds(1, at: 0, in: fixture.path(snapshot)))
        #expect(fixture.names(with: "pending-").isEmpty)
        // A clone of a volume in use is what the guest has written so far.
        let clone = PoolFixture.volume(from: .volume(volume))
        for _ in 0..<2 { try await fixture.pool.create(clone) }
        #expect(try await fixture.holds(2, at: 0, in: fixture.path(clone.id)))
        #expect(fixture.guests.snapshots == 2)
    }

    @Test("a hypervisor that refuses leaves everything as it was")
    func refused() async throws {
        let (fixture, volume, _) = try await attached()
        fixture.guests.refuse(Self.refusal)
        await #expect(throws: StatusError.self) { try await fixture.pool.snapshot(volume, as: .fresh()) }
        #expect(try await fixture.pool.observe().volumes[volume]?.isUnfinished == false)
        #expect(fixture.names(with: "snapshot-").isEmpty)
        await fixture.pool.tick()
        #expect(fixture.names.count == 2, "\(fixture.names)")
    }

    @Test("one that does not answer may have done it: that is found out later, with the guest and without it")
    func silent() async throws {
        for isThere in [true, false] {
            let (fixture, volume, server) = try await attached()
            let path = fixture.path(volume)
            fixture.faults.strike(at: 2)  // The layer is made, and it is noted that the guest may write to it.
            await #expect(throws: StatusError.self) { try await fixture.pool.snapshot(volume, as: .fresh()) }
            let pool = fixture.reopened()
            #expect(try await pool.observe().volumes[volume]?.isUnfinished == true)
            if isThere {
                fixture.guests.attach(volume, VolumeAttachment(server: server, path: path))
            } else {
                fixture.guests.attach(volume, nil)
            }
            for _ in 0..<2 { try await pool.finish(volume) }
            let stored = try await pool.observe().volumes[volume]
            #expect(stored?.isUnfinished == false)
            #expect(fixture.guests.snapshots == (isThere ? 2 : 1))
            // What a guest is started from that has gone may name the overlay for ever.
            #expect(fixture.guests.restored(volume) == (isThere ? nil : path))
            #expect(try await fixture.holds(1, at: 0, in: path))
        }
    }

    @Test("what a guest is started from is put right before it is forgotten that it was wrong")
    func unanswered() async throws {
        let (fixture, volume, _) = try await attached()
        fixture.faults.strike(at: 2)
        await #expect(throws: StatusError.self) { try await fixture.pool.snapshot(volume, as: .fresh()) }
        let pool = fixture.reopened()
        fixture.guests.attach(volume, nil)
        fixture.guests.refuse(nil, silence: Self.refusal)
        await #expect(throws: StatusError.self) { try await pool.finish(volume) }
        #expect(try await pool.observe().volumes[volume]?.isUnfinished == true)
        fixture.guests.refuse(nil)
        try await pool.finish(volume)
        #expect(fixture.guests.restored(volume) == fixture.path(volume))
    }

    @Test("a guest with very many layers open is to be started anew first")
    func manyLayers() async throws {
        let (fixture, volume, server) = try await attached()
        fixture.guests.attach(
            volume, VolumeAttachment(server: server, path: fixture.path(volume), layers: 256))
        let error = await #expect(throws: StatusError.self) { try await fixture.pool.snapshot(volume, as: .fresh()) }
        #expect(error?.code == .unsupported)
        #expect(try await fixture.pool.observe().volumes[volume]?.isUnfinished == false)
    }

    @Test("a guest whose memory is on disk finds its volumes as they were")
    func suspended() async throws {
        let (fixture, volume, _) = try await attached(isRunning: false)
        let pool = fixture.pool
        let snapshot = await #expect(throws: StatusError.self) { try await pool.snapshot(volume, as: .fresh()) }
        #expect(snapshot?.message.contains("suspended") == true)
        await #expect(throws: StatusError.self) { try await pool.extend(volume, toBytes: 2 * PoolFixture.gib) }
        await #expect(throws: StatusError.self) {
            try await pool.revert(volume, to: .init(version: 1, snapshot: .fresh()))
        }
        #expect(fixture.names.count == 2)
    }

    @Test("a volume in use grows under the guest, and is neither reverted nor removed")
    func inUse() async throws {
        let (fixture, volume, _) = try await attached()
        try await fixture.pool.extend(volume, toBytes: 2 * PoolFixture.gib)
        #expect(fixture.guests.size(volume) == 2 * PoolFixture.gib)
        for error in [
            await #expect(throws: StatusError.self) { try await fixture.pool.remove(volume) },
            await #expect(throws: StatusError.self) {
                try await fixture.pool.revert(volume, to: .init(version: 1, snapshot: .fresh()))
            }
        ] { #expect(error?.code == .conflict) }
        // Who cannot be asked may have it.
        fixture.guests.refuse(nil, silence: Self.refusal)
        await #expect(throws: StatusError.self) { try await fixture.pool.remove(volume) }
        #expect(try await fixture.pool.observe().volumes[volume] != nil)
    }

    @Test("a program that has the file open for writing is noticed by its lock, whoever it is")
    func locked() async throws {
        let fixture = try PoolFixture()
        let volume = PoolFixture.volume()
        try await fixture.pool.create(volume)
        let path = fixture.path(volume.id)
        async let program = StorageFixture.run(
            "qemu-io", "-f", "qcow2", "-c", "write -P 5 0 64k", "-c", "sleep 3000", path)
        var errors: Set<StatusError.Code> = []
        for _ in 0..<100 where errors.isEmpty {
            do {
                try await fixture.pool.snapshot(volume.id, as: .fresh())
            } catch {
                errors.insert(error.code)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(errors == [.conflict])
        let removal = await #expect(throws: StatusError.self) { try await fixture.pool.remove(volume.id) }
        #expect(removal?.code == .conflict)
        #expect(try await program.succeeded)
        try await fixture.pool.remove(volume.id)
        #expect(fixture.names(with: "volume-").isEmpty)
    }
}
