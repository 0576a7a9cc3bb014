import AgentCore
import AgentStorage
import ProtocolModel
import Testing

/// Everything that is done to a pool, broken off at each of its steps by the agent's death, and done again.
@Suite("an agent that dies while it works on a pool", .timeLimit(.minutes(5)))
struct FilePoolCrashTests {
    /// A pool with a volume that holds 1, a snapshot of that, and 2 in the volume since.
    struct Scene {
        let fixture: PoolFixture
        let volume = PoolFixture.volume(id: VolumeID(high: 0, low: 1))
        let snapshot = VolumeSnapshotID(high: 0, low: 2)
        let other = VolumeID(high: 0, low: 3)
        let server = ServerID(high: 0, low: 4)

        init(isAttached: Bool) async throws {
            fixture = try PoolFixture()
            try await fixture.pool.create(volume)
            let path = fixture.path(volume.id)
            try await fixture.write(1, at: 0, to: path)
            try await fixture.pool.snapshot(volume.id, as: snapshot)
            try await fixture.write(2, at: 0, to: path)
            if isAttached { fixture.guests.attach(volume.id, VolumeAttachment(server: server, path: path)) }
        }

        func holds(_ pattern: UInt8, _ path: String) async throws -> Bool {
            try await fixture.holds(pattern, at: 0, in: path)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var isAttached = false
        var work: @Sendable (FilePool, Scene) async throws -> Void
        var check: @Sendable (Scene) async throws -> Bool
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "create") { pool, scene in
            try await pool.create(PoolFixture.volume(id: scene.other))
        } check: { scene in
            try await scene.holds(0, scene.fixture.path(scene.other))
        },
        Case(name: "clone a snapshot") { pool, scene in
            try await pool.create(
                PoolFixture.volume(id: scene.other, from: .snapshot(scene.snapshot, of: scene.volume.id)))
        } check: { scene in
            try await scene.holds(1, scene.fixture.path(scene.other))
        },
        Case(name: "clone a volume") { pool, scene in
            try await pool.create(PoolFixture.volume(id: scene.other, from: .volume(scene.volume.id)))
        } check: { scene in
            try await scene.holds(2, scene.fixture.path(scene.other))
        },
        Case(name: "clone a volume under a guest", isAttached: true) { pool, scene in
            try await pool.create(PoolFixture.volume(id: scene.other, from: .volume(scene.volume.id)))
        } check: { scene in
            try await scene.holds(2, scene.fixture.path(scene.other))
        },
        Case(name: "snapshot") { pool, scene in
            try await pool.snapshot(scene.volume.id, as: VolumeSnapshotID(high: 0, low: 9))
        } check: { scene in
            try await scene.holds(2, scene.fixture.path(VolumeSnapshotID(high: 0, low: 9)))
        },
        Case(name: "snapshot under a guest", isAttached: true) { pool, scene in
            try await pool.snapshot(scene.volume.id, as: VolumeSnapshotID(high: 0, low: 9))
        } check: { scene in
            try await scene.holds(2, scene.fixture.path(VolumeSnapshotID(high: 0, low: 9)))
        },
        Case(name: "extend") { pool, scene in
            try await pool.extend(scene.volume.id, toBytes: 2 * PoolFixture.gib)
        } check: { scene in
            try await scene.fixture.pool.observe().volumes[scene.volume.id]?.sizeBytes == 2 * PoolFixture.gib
        },
        Case(name: "remove the snapshot") { pool, scene in
            try await pool.remove(scene.snapshot)
        } check: { scene in
            scene.fixture.names(with: "snapshot-").isEmpty
        }
    ]

    @Test("the same comes of it, nothing is left over, and nothing else has changed", arguments: cases)
    func everyStep(_ one: Case) async throws {
        let whole = try await Scene(isAttached: one.isAttached)
        whole.fixture.faults.mend()
        try await one.work(whole.fixture.pool, whole)
        let steps = whole.fixture.faults.met.count
        try #require(steps > 0)
        #expect(try await one.check(whole))
        for step in 0..<steps {
            let scene = try await Scene(isAttached: one.isAttached)
            let fixture = scene.fixture
            fixture.faults.strike(at: step)
            // Housekeeping fails in silence.
            try? await one.work(fixture.pool, scene)
            let pool = fixture.reopened()
            #expect(try await fixture.isSound(), "\(one.name), step \(step)")
            if try await pool.observe().volumes[scene.volume.id]?.isUnfinished == true {
                try await pool.finish(scene.volume.id)
            }
            try await one.work(pool, scene)
            await pool.tick()
            let told: Comment = "\(one.name), step \(step): \(fixture.names)"
            #expect(try await one.check(scene), told)
            #expect(try await fixture.isSound(), told)
            #expect(try await scene.holds(2, fixture.path(scene.volume.id)), told)
            if one.name != "remove the snapshot" {
                #expect(try await scene.holds(1, fixture.path(scene.snapshot)), told)
            }
            // Where the guest writes is where the volume leads.
            if one.isAttached {
                try await fixture.write(8, at: 0, to: try #require(fixture.guests.path(scene.volume.id)))
                #expect(try await scene.holds(8, fixture.path(scene.volume.id)), told)
                #expect(try await one.check(scene), told)
            }
            #expect(fixture.names(with: "pending-").isEmpty && !fixture.names.contains { $0.hasSuffix(".part") }, told)
            // A guest's writes cannot be told apart from none: a repetition may put one layer more.
            let layers = fixture.names.count { $0.hasSuffix(".qcow2") }
            let expected = whole.fixture.names.count { $0.hasSuffix(".qcow2") }
            #expect(layers == expected || one.isAttached && layers == expected + 1, told)
        }
    }

    @Test("a revert and a removal that are cut off are done once and no more")
    func revertAndRemove() async throws {
        for step in 0..<4 {
            let scene = try await Scene(isAttached: false)
            let (fixture, reversion) = (scene.fixture, VolumeSpec.Reversion(version: 1, snapshot: scene.snapshot))
            fixture.faults.strike(at: step)
            try? await fixture.pool.revert(scene.volume.id, to: reversion)
            let pool = fixture.reopened()
            let before = try await pool.observe().volumes[scene.volume.id]?.reversion
            #expect(try await scene.holds(before == 1 ? 1 : 2, fixture.path(scene.volume.id)), "step \(step)")
            try await pool.revert(scene.volume.id, to: reversion)
            #expect(try await scene.holds(1, fixture.path(scene.volume.id)), "step \(step)")

            fixture.faults.strike(at: step)
            try? await pool.remove(scene.volume.id)
            let again = fixture.reopened()
            try await again.remove(scene.volume.id)
            try await again.remove(scene.snapshot)
            await again.tick()
            #expect(fixture.names.isEmpty, "step \(step): \(fixture.names)")
        }
    }
}
