import AgentCore
import AgentStorage
import ProtocolModel
import Testing
import TestsSupportRandomness

@Suite("fetching images over a bad link")
struct ImageFetchTests {
    static let bytes = [UInt8]((0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 131 >> 5) })

    /// What goes wrong with one transfer.
    enum Fault: CaseIterable {
        case none, cut, endsEarly, altered, tooLong
    }

    /// Gives the bytes from the offset on, with one fault at some place.
    struct BadSource: ImageSource {
        struct Cut: Error {}

        var fault: Fault
        /// Where it strikes, from 0 to 1 of what is asked for.
        var place: Double

        func read(_ image: ImageSpec, from offset: Int64) async throws -> AsyncThrowingStream<[UInt8], any Error> {
            var rest = Array(ImageFetchTests.bytes[Int(offset)...])
            let at = Int(Double(rest.count) * place)
            var error: Cut?
            switch fault {
            case .none: break
            case .cut:
                rest = Array(rest[..<at])
                error = Cut()
            case .endsEarly: rest = Array(rest[..<at])
            case .altered: if at < rest.count { rest[at] ^= 0x20 }
            case .tooLong: rest.append(0)
            }
            let (data, failure) = (rest, error)
            return AsyncThrowingStream { continuation in
                for start in stride(from: 0, to: data.count, by: 65_536) {
                    continuation.yield(Array(data[start..<min(start + 65_536, data.count)]))
                }
                continuation.finish(throwing: failure)
            }
        }
    }

    @Test("torn, altered and overlong transfers never become an image, and good ones end it", arguments: 1...12)
    func faults(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try StorageFixture()
        let image = StorageFixture.image(Self.bytes, .raw)
        let path = fixture.path("state/images/\(image.sha512).raw")
        for attempt in 0..<10 {
            let fault = Fault.allCases.randomElement(using: &random) ?? .cut
            let source = BadSource(
                fault: attempt == 9 ? .none : fault, place: Double.random(in: 0..<1, using: &random))
            // An agent that was restarted meanwhile knows only what is on the disk.
            let storage = Bool.random(using: &random) ? fixture.storage : fixture.restarted()
            do {
                try await storage.fetchImage(image, from: source)
            } catch {
                #expect(error.code == .timedOut || error.code == .badImage, "seed \(seed): \(error)")
                #expect(await !storage.hasImage(image), "seed \(seed), attempt \(attempt), \(source.fault)")
                #expect(!fixture.exists(path))
                continue
            }
            #expect(try fixture.bytes(path) == Self.bytes, "seed \(seed), attempt \(attempt)")
            return
        }
        // The last attempt had no fault; an altered byte before it may still have spoiled the sum, once.
        try await fixture.storage.fetchImage(image, from: BadSource(fault: .none, place: 0))
        #expect(try fixture.bytes(path) == Self.bytes, "seed \(seed)")
    }

    @Test("what an earlier attempt left damaged is no reason to give up the image")
    func damagedPartial() async throws {
        let fixture = try StorageFixture()
        let image = StorageFixture.image(Self.bytes, .raw)
        await #expect(throws: StatusError.self) {
            try await fixture.storage.fetchImage(image, from: BadSource(fault: .cut, place: 0.5))
        }
        let partial = "state/images/\(image.sha512).raw.partial"
        let size = try fixture.bytes(fixture.path(partial)).count
        // As after a power cut: the length survived, the bytes did not.
        try fixture.write([UInt8](repeating: 0, count: size), partial)
        do {
            try await fixture.restarted().fetchImage(image, from: BadSource(fault: .none, place: 0))
            Issue.record("damaged bytes became an image")
        } catch {
            #expect(error.code == .timedOut)
        }
        try await fixture.restarted().fetchImage(image, from: BadSource(fault: .none, place: 0))
        #expect(try fixture.bytes(fixture.path("state/images/\(image.sha512).raw")) == Self.bytes)
    }

    @Test("the same bytes as images of two formats are two files")
    func twoFormats() async throws {
        let fixture = try StorageFixture()
        let raw = StorageFixture.image(Self.bytes, .raw)
        var qcow2 = raw
        qcow2.format = .qcow2
        let source = BadSource(fault: .none, place: 0)
        // The bytes are no qcow2: that fetch must not pass for done because the other one was.
        async let refused: Void = fixture.storage.fetchImage(qcow2, from: source)
        async let taken: Void = fixture.storage.fetchImage(raw, from: source)
        try await taken
        do {
            try await refused
            Issue.record("the fetch of a qcow2 image passed for done")
        } catch {}
        #expect(await fixture.storage.hasImage(raw))
        #expect(await !fixture.storage.hasImage(qcow2))
    }

    @Test("each attempt goes on where the last one was cut")
    func progress() async throws {
        let fixture = try StorageFixture()
        let image = StorageFixture.image(Self.bytes, .raw)
        let partial = fixture.path("state/images/\(image.sha512).raw.partial")
        var last = 0
        for _ in 0..<5 {
            await #expect(throws: StatusError.self) {
                try await fixture.restarted().fetchImage(image, from: BadSource(fault: .cut, place: 0.5))
            }
            let size = try fixture.bytes(partial).count
            #expect(size > last)
            last = size
        }
        try await fixture.storage.fetchImage(image, from: BadSource(fault: .none, place: 0))
        #expect(!fixture.exists(partial))
    }
}

extension StorageFixture {
    /// Another storage over the same folder, as after a restart of the agent.
    func restarted() -> FileServerStorage {
        FileServerStorage(.init(folder: folder + "/state"), clock: FixedClock())
    }

    func exists(_ path: String) -> Bool { (try? bytes(path)) != nil }
}
