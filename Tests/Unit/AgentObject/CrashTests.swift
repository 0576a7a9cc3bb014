import AgentObject
import Glibc
import Logging
import NIOHTTP1
import Synchronization
import Testing

/// The store is looked at as a kill would leave it at each step: its files are copied at that moment, and a store is
/// opened on the copy.
@Suite("objects: what a crash leaves")
struct CrashTests {
    /// Copies the folder whenever a step is reached.
    final class Camera: Sendable {
        struct Shot: Sendable {
            let step: StoreFaults.Step
            let folder: String
            /// What had been acknowledged by then.
            let acknowledged: [String: [UInt8]]
        }
        private struct State {
            var shots: [Shot] = []
            var acknowledged: [String: [UInt8]] = [:]
        }
        let folder: String
        private let state = Mutex(State())

        init() { folder = "/tmp/skerry-crash-\(getpid())-\(UInt64.random(in: 0...UInt64.max))" }

        var faults: StoreFaults {
            StoreFaults { [self] step in
                state.withLock { state in
                    let copy = folder + "-\(state.shots.count)"
                    Folder.copy(folder, to: copy)
                    state.shots.append(Shot(step: step, folder: copy, acknowledged: state.acknowledged))
                }
            }
        }

        func acknowledge(_ name: String, _ bytes: [UInt8]?) { state.withLock { $0.acknowledged[name] = bytes } }
        var shots: [Shot] { state.withLock { $0.shots } }

        func cleanUp() {
            for shot in shots { Folder.remove(shot.folder) }
            Folder.remove(folder)
        }
    }

    static func bytes(_ seed: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: ($0 &+ seed) &* 40_503 >> 3) }
    }

    @Test("what was acknowledged is there byte for byte at every step, and counters are right")
    func everyStep() async throws {
        let camera = Camera()
        defer { camera.cleanUp() }
        let attempts: [(name: String, bytes: [UInt8])] = [
            ("small", Self.bytes(1, 100)), ("large", Self.bytes(2, 300_000)), ("small", Self.bytes(3, 5000)),
            ("empty", []), ("large", Self.bytes(4, 10))
        ]
        do {
            let cloud = try ObjectCloud(folder: camera.folder, faults: camera.faults)
            _ = try await cloud.call("PUT", "c")
            for attempt in attempts {
                #expect(try await cloud.call("PUT", "c/" + attempt.name, [:], attempt.bytes).status == 201)
                camera.acknowledge(attempt.name, attempt.bytes)
            }
            _ = try await cloud.call("COPY", "c/small", ["Destination": "c/copy"])
            camera.acknowledge("copy", Self.bytes(3, 5000))
            #expect(try await cloud.call("DELETE", "c/small").status == 204)
            camera.acknowledge("small", nil)
        }
        let shots = camera.shots
        #expect(Set(shots.map(\.step)).isSuperset(of: [.segmentWritten, .segmentSynced, .indexWritten, .committed]))
        for shot in shots { try await Self.check(shot, attempts) }
    }

    private static func check(_ shot: Camera.Shot, _ attempts: [(name: String, bytes: [UInt8])]) async throws {
        let cloud = try ObjectCloud(folder: shot.folder)
        for (name, bytes) in shot.acknowledged where name != "small" || shot.acknowledged["copy"] == nil {
            let answer = try await cloud.call("GET", "c/" + name)
            // What was under way may have taken its place, whole.
            let known = attempts.filter { $0.name == name }.map(\.bytes)
            #expect(
                answer.bytes == bytes || known.contains(answer.bytes), "\(shot.step): \(name) has \(answer.bytes.count)"
            )
            #expect(answer.status == 200, "\(shot.step): \(name)")
        }
        let counters = try await cloud.counters()
        #expect(counters.objects == counters.listed, "\(shot.step)")
        #expect(counters.bytes == counters.listedBytes, "\(shot.step)")
        // And it goes on working.
        let next = try await cloud.call("PUT", "c/next", [:], Self.bytes(9, 70_000))
        #expect([201, 404].contains(next.status))
    }

    @Test("a start sweeps what no object has")
    func sweep() async throws {
        let camera = Camera()
        defer { camera.cleanUp() }
        do {
            let cloud = try ObjectCloud(folder: camera.folder)
            _ = try await cloud.call("PUT", "c")
            _ = try await cloud.call("PUT", "c/o", [:], Self.bytes(1, 200_000))
            // Bytes that came and were never put anywhere.
            let upload = cloud.store.upload()
            try await upload.write(Self.bytes(2, 300_000))
            _ = try await upload.finish()
            #expect(Self.files(camera.folder) == 2)
        }
        let cloud = try ObjectCloud(folder: camera.folder)
        #expect(Self.files(camera.folder) == 1)
        #expect(try await cloud.call("GET", "c/o").bytes == Self.bytes(1, 200_000))
        #expect(try await cloud.call("DELETE", "c/o").status == 204)
        try await cloud.store.collectGarbage()
        #expect(Self.files(camera.folder) == 0)
    }

    @Test("objects whose index is lost are kept, and the start says so", arguments: [100, 200_000])
    func lostIndex(size: Int) async throws {
        let camera = Camera()
        defer { camera.cleanUp() }
        do {
            let cloud = try ObjectCloud(folder: camera.folder)
            _ = try await cloud.call("PUT", "c")
            _ = try await cloud.call("PUT", "c/o", [:], Self.bytes(1, size))
        }
        for end in ["", "-wal", "-shm"] { unlink(camera.folder + "/index.sqlite" + end) }
        // The second start is no wiser than the first.
        for _ in 0..<2 { #expect(throws: StoreFailure.self) { try ObjectCloud(folder: camera.folder) } }
        #expect(Self.files(camera.folder) + Folder.names(camera.folder + "/segments").count == 1)
    }

    private static func files(_ folder: String) -> Int {
        Folder.names(folder + "/large").reduce(0) { $0 + Folder.names(folder + "/large/" + $1).count }
    }

    @Test("segments that are mostly garbage are emptied, and nothing in them is lost at any step")
    func compaction() async throws {
        let camera = Camera()
        defer { camera.cleanUp() }
        let kept = Self.bytes(7, 9000)
        do {
            let cloud = try ObjectCloud(folder: camera.folder)
            _ = try await cloud.call("PUT", "c")
            for number in 0..<20 { _ = try await cloud.call("PUT", "c/\(number)", [:], Self.bytes(number, 9000)) }
            for number in 0..<20 where number != 7 { _ = try await cloud.call("DELETE", "c/\(number)") }
        }
        do {
            // A segment of an earlier run is never the present one.
            let cloud = try ObjectCloud(folder: camera.folder, faults: camera.faults)
            _ = try await cloud.call("PUT", "c/new", [:], Self.bytes(30, 10))
            #expect(try await cloud.store.compact() == 1)
            #expect(try await cloud.call("GET", "c/7").bytes == kept)
            #expect(Folder.names(camera.folder + "/segments").count == 1)
        }
        #expect(camera.shots.contains { $0.step == .segmentMoved })
        for shot in camera.shots {
            let cloud = try ObjectCloud(folder: shot.folder)
            #expect(try await cloud.call("GET", "c/7").bytes == kept, "\(shot.step)")
        }
    }

    @Test("segments full of tiny objects are left as they are")
    func tiny() async throws {
        let camera = Camera()
        defer { camera.cleanUp() }
        do {
            let cloud = try ObjectCloud(folder: camera.folder)
            _ = try await cloud.call("PUT", "c")
            for number in 0..<20 { _ = try await cloud.call("PUT", "c/\(number)", [:], [1]) }
        }
        let cloud = try ObjectCloud(folder: camera.folder)
        _ = try await cloud.call("PUT", "c/new", [:], [1])
        #expect(try await cloud.store.compact() == 0)
        #expect(Folder.names(camera.folder + "/segments").count == 2)
    }

    @Test("a bit that changed on the disk is never given out", arguments: [5000, 600_000])
    func damage(size: Int) async throws {
        let camera = Camera()
        defer { camera.cleanUp() }
        let cloud = try ObjectCloud(folder: camera.folder)
        _ = try await cloud.call("PUT", "c")
        _ = try await cloud.call("PUT", "c/o", [:], Self.bytes(1, size))
        let folder = camera.folder + (size > 65_536 ? "/large" : "/segments")
        let inner = size > 65_536 ? folder + "/" + Folder.names(folder)[0] : folder
        let path = inner + "/" + Folder.names(inner)[0]
        var bytes = try #require(Folder.read(path))
        bytes[3000] ^= 1
        Folder.write(bytes, to: path)
        let answer = try await cloud.call("GET", "c/o")
        #expect(answer.status == 503)
        if size > 65_536 {
            // The other blocks are as they were.
            let rest = try await cloud.call("GET", "c/o", ["Range": "bytes=300000-300009"])
            #expect(rest.bytes == Array(Self.bytes(1, size)[300_000..<300_010]))
        }
    }
}
