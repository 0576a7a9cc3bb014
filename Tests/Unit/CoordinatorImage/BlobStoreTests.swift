import CoordinatorImage
import Glibc
import NIOCore
import ProtocolModel
import Synchronization
import Testing

@Suite("blob store")
struct BlobStoreTests {
    /// A store in a folder of its own.
    final class Fixture: Sendable {
        let folder = "/tmp/skerry-blobs-\(ImageID.random().short)"
        let store: BlobStore
        init() throws { store = try BlobStore(directory: folder) }
        deinit {
            for name in names() { unlink(folder + "/" + name) }
            rmdir(folder)
        }
        func names() -> [String] {
            guard let handle = opendir(folder) else { return [] }
            defer { closedir(handle) }
            var names: [String] = []
            while let entry = readdir(handle) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if !name.hasPrefix(".") { names.append(name) }
            }
            return names.sorted()
        }
        func read(_ name: String, from offset: Int64 = 0) async throws -> [UInt8] {
            var bytes: [UInt8] = []
            for try await chunk in try await store.reader(name, from: offset).chunks(of: 1000) {
                bytes += chunk.readableBytesView
            }
            return bytes
        }
    }

    static let data = [UInt8]((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })

    @Test("pieces of every size add up, and the hashes are those of the whole")
    func write() async throws {
        let fixture = try Fixture()
        let whole = BlobWriter(store: fixture.store, file: "part-whole")
        try await whole.append(ByteBuffer(bytes: Self.data))
        let expected = try await whole.finish()
        #expect(expected.sizeBytes == 3_000_000 && expected.sha512.count == 128 && expected.md5.count == 32)
        let pieces = BlobWriter(store: fixture.store, file: "part-pieces")
        var at = 0
        var size = 1
        while at < Self.data.count {
            let end = min(Self.data.count, at + size)
            try await pieces.append(ByteBuffer(bytes: Self.data[at..<end]))
            at = end
            size = size * 3 % 70_000 + 1
        }
        #expect(try await pieces.finish() == expected)
        #expect(try await fixture.read("part-pieces") == Self.data)
        #expect(try await fixture.store.hash("part-pieces") == expected)
    }

    @Test("writing goes on behind what was there, and forgets what was behind that")
    func resume() async throws {
        let fixture = try Fixture()
        let first = BlobWriter(store: fixture.store, file: "part-a")
        try await first.append(ByteBuffer(bytes: Self.data[..<2_000_000]))
        try await first.append(ByteBuffer(bytes: [9, 9, 9]))
        #expect(try await first.settle() == 2_000_003)
        let second = BlobWriter(store: fixture.store, file: "part-a")
        try await second.resume(at: 2_000_000)
        try await second.append(ByteBuffer(bytes: Self.data[2_000_000...]))
        let result = try await second.finish()
        #expect(try await fixture.read("part-a") == Self.data)
        #expect(try await fixture.store.hash("part-a") == result)
    }

    @Test("content has its name once it is whole, and publishing again changes nothing")
    func publish() async throws {
        let fixture = try Fixture()
        let writer = BlobWriter(store: fixture.store, file: "part-a")
        try await writer.append(ByteBuffer(bytes: [1, 2, 3]))
        let content = try await writer.finish()
        for _ in 0..<2 {
            try await fixture.store.publish(part: "part-a", as: content.sha512)
        }
        #expect(fixture.names().sorted() == [content.sha512, "part-a"].sorted())
        #expect(try await fixture.read(content.sha512, from: 1) == [2, 3])
    }

    @Test("what is published takes the place of a file whose bits have rotted, and its readers keep what they have")
    func replace() async throws {
        let fixture = try Fixture()
        for (file, bytes) in [("rotten", [UInt8](repeating: 7, count: 3)), ("part-a", [1, 2, 3])] {
            let writer = BlobWriter(store: fixture.store, file: file)
            try await writer.append(ByteBuffer(bytes: bytes))
            _ = try await writer.finish()
        }
        let reader = try await fixture.store.reader("rotten")
        try await fixture.store.publish(part: "part-a", as: "rotten")
        #expect(try await fixture.read("rotten") == [1, 2, 3])
        #expect(try await reader.next(10) == ByteBuffer(bytes: [7, 7, 7]))
        #expect(fixture.names() == ["part-a", "rotten"])
    }

    @Test("a sweep leaves what was pinned before it began and recorded after it read the rows")
    func sweepDuringCommit() async throws {
        let fixture = try Fixture()
        // Not by a writer, whose own pin would hide what this is about.
        close(creat(fixture.folder + "/content", 0o600))
        fixture.store.pin("content")
        // The rows are read before the commit, and the pin goes with the commit.
        try await fixture.store.sweep {
            fixture.store.unpin("content")
            return []
        }
        #expect(fixture.names() == ["content"])
        try await fixture.store.sweep { [] }
        #expect(fixture.names() == [])
    }

    @Test("a part that is shorter than its row says is not filled up with zeros")
    func shortPart() async throws {
        let fixture = try Fixture()
        let writer = BlobWriter(store: fixture.store, file: "part-a")
        try await writer.append(ByteBuffer(bytes: [1, 2, 3]))
        _ = try await writer.finish()
        await #expect(throws: BlobError.self) {
            try await BlobWriter(store: fixture.store, file: "part-a").resume(at: 4)
        }
    }

    @Test("a sweep leaves what is wanted, pinned or read, and comes back when that is over")
    func sweep() async throws {
        let fixture = try Fixture()
        for name in ["wanted", "pinned", "read", "nobodys"] {
            let writer = BlobWriter(store: fixture.store, file: name)
            try await writer.append(ByteBuffer(bytes: [1]))
            _ = try await writer.finish()
        }
        let released = Mutex(0)
        fixture.store.whenReleased { released.withLock { $0 += 1 } }
        fixture.store.pin("pinned")
        var reader: BlobReader? = try await fixture.store.reader("read")
        try await fixture.store.sweep { ["wanted"] }
        #expect(fixture.names() == ["pinned", "read", "wanted"])
        #expect(fixture.store.awaitedBytes == 2 && fixture.store.awaitedCount == 2)
        _ = try await reader?.next(1)
        reader = nil
        fixture.store.unpin("pinned")
        for _ in 0..<100 where released.withLock({ $0 }) < 2 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(released.withLock { $0 } == 2 && fixture.store.awaitedBytes == 0)
        try await fixture.store.sweep { ["wanted"] }
        #expect(fixture.names() == ["wanted"])
    }

    @Test("what cannot be written is an error that says why")
    func failure() async throws {
        let fixture = try Fixture()
        let writer = BlobWriter(store: fixture.store, file: "no/such/folder")
        await #expect(throws: BlobError.self) {
            try await writer.append(ByteBuffer(bytes: [1]))
            _ = try await writer.finish()
        }
        await #expect(throws: BlobError.self) { _ = try await fixture.store.reader("nothing") }
    }
}
