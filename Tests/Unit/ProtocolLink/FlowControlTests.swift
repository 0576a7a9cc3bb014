import ProtocolLink
import ProtocolModel
import Synchronization
import Testing
import TestsSupportRandomness

@Suite("flow control over loopback", .timeLimit(.minutes(1)))
struct FlowControlTests {
    static let image = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    static let digest = String(repeating: "ab", count: 64)

    @Test("an image arrives byte for byte, from any offset")
    func wholeImage() async throws {
        let loopback = try await Loopback(image: Self.image)
        let connection = try await loopback.connect()
        for offset in [0, 1, 4_999_999, 5_000_000] {
            var bytes: [UInt8] = []
            let stream = try await connection.fetchImage(.fresh(), sha512: Self.digest, from: Int64(offset))
            for try await chunk in stream {
                #expect(chunk.count <= 65_536)
                bytes += chunk
            }
            #expect(bytes == Array(Self.image[offset...]))
        }
        let refused = try await connection.fetchImage(.fresh(), sha512: Self.digest, from: 5_000_001)
        let refusal = await #expect(throws: LinkRefusal.self) { for try await _ in refused {} }
        #expect(refusal?.code == .notFound)
        connection.close(.finished)
        await loopback.server.stop()
    }

    private func send(
        _ size: Int, as image: ImageID, over connection: LinkConnection, announced: Int? = nil
    ) async throws {
        let upload = ImageUpload(operation: .fresh(), image: image, sizeBytes: Int64(announced ?? size))
        try await connection.upload(upload) { writer in
            for start in stride(from: 0, to: size, by: 300_000) {
                try await writer.write(Array(Self.image[start..<min(size, start + 300_000)]))
            }
        }
    }

    @Test("an upload arrives byte for byte, and its end says that it did")
    func upload() async throws {
        let loopback = try await Loopback()
        let connection = try await loopback.connect()
        for size in [1, 65_536, 5_000_000] {
            let image = ImageID.fresh()
            try await send(size, as: image, over: connection)
            // It has been taken in by the time that is heard.
            #expect(loopback.service.uploads[image] == Array(Self.image[..<size]))
        }
        connection.close(.finished)
        await loopback.server.stop()
    }

    @Test(
        "an upload that is turned down half-way ends with the reason, one that breaks off is not taken, and others go on"
    )
    func refusedUpload() async throws {
        struct Trouble: Error {}
        let loopback = try await Loopback()
        let connection = try await loopback.connect()
        let refusal = await #expect(throws: LinkRefusal.self) {
            try await send(5_000_000, as: FakeService.unwanted, over: connection)
        }
        #expect(refusal?.message == "That is no image.")
        let image = ImageID.fresh()
        for _ in 0..<20 {
            await #expect(throws: Trouble.self) {
                let upload = ImageUpload(operation: .fresh(), image: image, sizeBytes: 1_000)
                try await connection.upload(upload) { writer in
                    try await writer.write([1, 2, 3])
                    throw Trouble()
                }
            }
        }
        #expect(loopback.service.uploads.isEmpty)
        try await send(1_000, as: image, over: connection)
        #expect(loopback.service.uploads[image]?.count == 1_000)
        connection.close(.finished)
        await #expect(throws: (any Error).self) { try await send(5_000_000, as: image, over: connection) }
        await loopback.server.stop()
    }

    @Test("a reader that pauses holds the sender at its window, and messages pass by")
    func pausedReader() async throws {
        let loopback = try await Loopback(image: Self.image)
        let connection = try await loopback.connect()
        let stream = try await connection.fetchImage(.fresh(), sha512: Self.digest, from: 0)
        var iterator = stream.makeAsyncIterator()
        _ = try await iterator.next()
        try await Task.sleep(for: .milliseconds(300))
        // Window 256 KiB and one chunk consumed: no more than five writes of 100,000 octets can have ended.
        #expect(loopback.service.state.withLockedValue { $0.chunksSent } <= 5)
        try await connection.send(.planHeld(PlanPosition(epoch: 1, revision: 1)))
        #expect(try await eventually { loopback.service.received.count == 1 })
        var count = 65_536
        while let chunk = try await iterator.next() { count += chunk.count }
        #expect(count >= 5_000_000 - 65_536)
        connection.close(.finished)
        await loopback.server.stop()
    }

    @Test("letting go of a stream stops its sender, and the session lives on")
    func abandoned() async throws {
        let loopback = try await Loopback(image: Self.image)
        let connection = try await loopback.connect()
        for _ in 0..<40 {
            // More than may be open at once: each must really be gone.
            let stream = try await connection.fetchImage(.fresh(), sha512: Self.digest, from: 0)
            for try await _ in stream { break }
        }
        try await Task.sleep(for: .milliseconds(100))
        #expect(loopback.service.state.withLockedValue { $0.chunksSent } < 40 * 10)
        try await connection.send(.planHeld(.none))
        #expect(try await eventually { loopback.service.received.count == 1 })
        connection.close(.finished)
        await loopback.server.stop()
    }

    @Test("a coordinator that does not read holds up messages, not the keep-alive; cancellation takes one back")
    func slowConsumer() async throws {
        let loopback = try await Loopback(reads: false, keepAlive: .seconds(2))
        let connection = try await loopback.connect()
        let output = [UInt8](repeating: 7, count: 900_000)
        let result = OperationResult(id: .fresh(), outcome: .done(output: output))
        let sent = Mutex(0)
        let sender = Task {
            while sent.withLock({ $0 }) < 100 {
                try await connection.send(.result(result))
                sent.withLock { $0 += 1 }
            }
        }
        #expect(try await eventually { sent.withLock { $0 } == 4 })
        try await Task.sleep(for: .seconds(7))
        // More than three intervals later the session still lives, and four megabytes of credit are all that was taken.
        sender.cancel()
        _ = await sender.result
        #expect(sent.withLock { $0 } == 4)
        let served = loopback.service.state.withLockedValue { $0.connections }[0]
        var iterator = served.messages.makeAsyncIterator()
        for _ in 0..<4 { #expect(try await iterator.next() == .result(result)) }
        try await connection.send(.planHeld(.none))
        #expect(try await iterator.next() == .planHeld(.none))
        connection.close(.finished)
        await loopback.server.stop()
    }

    @Test("a message that no frame can hold is refused at once")
    func tooLarge() async throws {
        let loopback = try await Loopback()
        let connection = try await loopback.connect()
        let result = OperationResult(id: .fresh(), outcome: .done(output: [UInt8](repeating: 0, count: 2_000_000)))
        await #expect(throws: (any Error).self) { try await connection.send(.result(result)) }
        try await connection.send(.planHeld(.none))
        #expect(try await eventually { loopback.service.received == [.planHeld(.none)] })
        connection.close(.finished)
        await loopback.server.stop()
    }
}
