import AgentCore
import AgentStorage
import Dispatch
import FoundationEssentials
import Glibc
import Logging
import ProtocolModel
import Synchronization
import Testing

/// A pool in a folder of the test's own, with guests that are played.
final class PoolFixture: Sendable {
    static let gib = Int64(1) << 30

    let storage: StorageFixture
    let guests = PlayedGuests()
    let faults = Faults()
    let pool: FilePool
    let settings: FilePool.Settings

    init(
        reservedGiB: Int = 0, overcommitPercent: Int = 100_000, longestChain: Int = 48, usualChain: Int = 12
    ) throws {
        storage = try StorageFixture()
        settings = FilePool.Settings(
            folder: storage.path("pool"), reservedGiB: reservedGiB, overcommitPercent: overcommitPercent,
            longestChain: longestChain, usualChain: usualChain)
        pool = Self.pool(settings, storage, guests, faults)
    }

    /// The pool with images from elsewhere.
    func pool(images: any ImageFiles) -> FilePool {
        FilePool(
            settings, images: images, attached: guests, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            faults: { [faults] what throws(StatusError) in try faults.meet(what) })
    }

    private static func pool(
        _ settings: FilePool.Settings, _ storage: StorageFixture, _ guests: PlayedGuests, _ faults: Faults
    ) -> FilePool {
        FilePool(
            settings, images: storage.storage, attached: guests,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            faults: { what throws(StatusError) in try faults.meet(what) })
    }

    /// The pool as an agent sees it that was started anew.
    func reopened() -> FilePool {
        faults.mend()
        return Self.pool(settings, storage, guests, faults)
    }

    static func volume(
        _ sizeGiB: Int = 1, id: VolumeID = .fresh(), from source: VolumeSpec.Source = .empty
    ) -> VolumeSpec {
        VolumeSpec(id: id, project: .fresh(), pool: "local", sizeGiB: sizeGiB, source: source)
    }

    func path(_ volume: VolumeID) -> String { pool.location(of: volume).path }

    /// Fills 64 KiB from `offset` MiB on, as a guest that has the file open would.
    func write(_ pattern: UInt8, at offset: Int, to path: String) async throws {
        let result = try await StorageFixture.run(
            "qemu-io", "-f", "qcow2", "-c", "write -P \(pattern) \(offset)M 64k", path)
        try #require(result.succeeded && !result.output.contains("failed"), "\(result.output)")
    }

    func holds(_ pattern: UInt8, at offset: Int, in path: String) async throws -> Bool {
        let result = try await StorageFixture.run(
            "qemu-io", "-r", "-f", "qcow2", "-c", "read -P \(pattern) \(offset)M 64k", path)
        return result.succeeded && !result.output.contains("failed")
    }

    /// Whether two files beside the pool have the same first bytes.
    func begins(_ name: String, as other: String, _ count: Int) async throws -> Bool {
        try await StorageFixture.run("cmp", "-n", "\(count)", storage.path(name), storage.path(other)).succeeded
    }

    /// The names in the pool, sorted.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: settings.folder)) ?? []).sorted()
    }

    func names(with prefix: String) -> [String] { names.filter { $0.hasPrefix(prefix) } }

    /// What a snapshot leads to.
    func path(_ snapshot: VolumeSnapshotID) -> String { "\(settings.folder)/snapshot-\(snapshot)" }

    /// Whether QEMU finds every layer sound that something leads to.
    func isSound() async throws -> Bool {
        for name in names where name.hasPrefix("volume-") || name.hasPrefix("snapshot-") {
            let check = try await StorageFixture.run("qemu-img", "check", "-f", "qcow2", "\(settings.folder)/\(name)")
            guard check.succeeded else { return false }
        }
        return true
    }
}

/// Breaks a pool's work off at one of its steps, and lets nothing happen after that: the agent is dead.
final class Faults: Sendable {
    private struct State {
        var left = Int.max
        var met: [String] = []
        var held: (prefix: String, gate: Gate)?
    }

    private let state = Mutex(State())

    /// - Parameter step: 0 for the first.
    func strike(at step: Int) { state.withLock { $0 = State(left: step) } }
    func mend() { state.withLock { $0 = State() } }
    /// A step that begins so waits at the gate.
    func hold(_ prefix: String, at gate: Gate) { state.withLock { $0.held = (prefix, gate) } }
    var met: [String] { state.withLock { $0.met } }

    func meet(_ what: String) throws(StatusError) {
        let held = state.withLock { $0.held }
        if let held, what.hasPrefix(held.prefix) { held.gate.pass() }
        let isDead = state.withLock { state in
            state.met.append(what)
            guard state.left > 0 else { return true }
            state.left -= 1
            return false
        }
        if isDead { throw StatusError(code: .hostFailure, message: "The agent died.", detail: what) }
    }
}

/// Where a thread waits until it is let through.
final class Gate: Sendable {
    private let isReached = Mutex(false)
    private let lock = DispatchSemaphore(value: 0)

    /// Blocks the thread that calls it.
    func pass() {
        isReached.withLock { $0 = true }
        lock.wait()
    }

    func reached() async {
        while !isReached.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)) }
    }

    func open() { lock.signal() }
}

/// Guests whose disks are followed as libvirt does it, without guests.
final class PlayedGuests: AttachedVolumes {
    private struct State {
        var attached: [VolumeID: VolumeAttachment] = [:]
        var refusal: StatusError?
        var silence: StatusError?
        var sizes: [VolumeID: Int64] = [:]
        var snapshots = 0
        var restored: [VolumeID: String] = [:]
    }

    private let state = Mutex(State())

    func attach(_ volume: VolumeID, _ attachment: VolumeAttachment?) {
        state.withLock { $0.attached[volume] = attachment }
    }
    /// Every change is refused, or nothing is answered at all.
    func refuse(_ error: StatusError?, silence: StatusError? = nil) {
        state.withLock { ($0.refusal, $0.silence) = (error, silence) }
    }
    func path(_ volume: VolumeID) -> String? { state.withLock { $0.attached[volume]?.path } }
    func size(_ volume: VolumeID) -> Int64? { state.withLock { $0.sizes[volume] } }
    /// Where guests find a volume that are started from now on, as far as that was put right.
    func restored(_ volume: VolumeID) -> String? { state.withLock { $0.restored[volume] } }
    var snapshots: Int { state.withLock { $0.snapshots } }

    func attachments() async throws(StatusError) -> [VolumeID: [VolumeAttachment]] {
        let (silence, attached) = state.withLock { ($0.silence, $0.attached) }
        if let silence { throw silence }
        return attached.mapValues { [$0] }
    }

    func snapshot(
        _ volume: VolumeID, of server: ServerID, to overlay: String, location: String
    ) async throws(StatusError) {
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
        state.withLock { state in
            guard state.attached[volume]?.path != overlay else { return }
            state.attached[volume]?.path = overlay
            state.snapshots += 1
        }
    }

    func restore(_ volume: VolumeID, to location: String) async throws(StatusError) {
        let silence = state.withLock { $0.silence }
        if let silence { throw silence }
        state.withLock { $0.restored[volume] = location }
    }

    func resize(_ volume: VolumeID, of server: ServerID, toBytes: Int64) async throws(StatusError) {
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
        state.withLock { $0.sizes[volume] = toBytes }
    }
}
