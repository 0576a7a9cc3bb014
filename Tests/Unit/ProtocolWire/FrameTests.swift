import NIOCore
import ProtocolModel
import ProtocolWire
import Testing
import TestsSupportRandomness

@Suite("frames")
struct FrameTests {
    static let stream: [UInt8] = Samples.messages.reduce(into: []) { $0 += (try? bytes($1.message)) ?? [] }

    @Test("however the bytes are cut up, the frames are the same", arguments: [1, 2, 3, 7, 11, 12, 13, 64, 1000])
    func cuts(size: Int) throws {
        let whole = try decode([Self.stream])
        #expect(whole.count == Samples.messages.count)
        let chunks = stride(from: 0, to: Self.stream.count, by: size).map {
            Array(Self.stream[$0..<min($0 + size, Self.stream.count)])
        }
        #expect(try decode(chunks) == whole)
    }

    @Test(
        "a length out of range is refused before its bytes are waited for",
        arguments: [0, 7, 8 + 101, 0x7FFF_FFFF, 0xFFFF_FFFF] as [UInt32])
    func lengths(length: UInt32) {
        var buffer = ByteBuffer()
        buffer.writeInteger(length)
        let error = #expect(throws: WireError.self) { try decode([Array(buffer.readableBytesView)], bodyLimit: 100) }
        #expect(error?.code == .lengthOutOfRange)
    }

    @Test("the limit itself is allowed")
    func limit() throws {
        let frame = Frame(kind: 999, stream: 3, body: ByteBuffer(repeating: 1, count: 100))
        var buffer = ByteBuffer()
        frame.write(to: &buffer)
        #expect(try decode([Array(buffer.readableBytesView)], bodyLimit: 100) == [frame])
        #expect(throws: WireError.self) { try decode([Array(buffer.readableBytesView)], bodyLimit: 99) }
    }

    @Test("another layout version is refused")
    func version() throws {
        var ping = try bytes(.ping(1))
        ping[4] = 2
        let error = #expect(throws: WireError.self) { try decode([ping]) }
        #expect(error?.code == .unknownFrameVersion)
    }

    @Test("a connection that ends inside a frame is told apart from one that ends between two")
    func ending() throws {
        let ping = try bytes(.ping(1))
        #expect(try decode([ping]).count == 1)
        for length in 1..<ping.count {
            let error = #expect(throws: WireError.self) { try decode([ping + ping[..<length]]) }
            #expect(error?.code == .endedInsideFrame)
        }
    }

    @Test("a kind of a newer release is skipped, whatever is in it")
    func unknownKind() throws {
        for kind in [0, 12, 24, 36, 40, 0xFFFF] as [UInt16] {
            let frame = Frame(kind: kind, stream: 0, body: ByteBuffer(bytes: [0xFF, 0xFF, 0xFF]))
            #expect(try WireMessage.decode(frame) == nil)
        }
    }

    @Test("random damage gives other messages or a wire error, never anything else", arguments: 0..<40 as Range<UInt64>)
    func damage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            var bytes = Self.stream
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes[at] = .random(in: .min ... .max, using: &generator)
                case 2: bytes.remove(at: at)
                default: bytes.insert(.random(in: .min ... .max, using: &generator), at: at)
                }
            }
            survive(bytes)
        }
    }

    @Test("damage inside the bodies alone, where the lengths still hold", arguments: 0..<40 as Range<UInt64>)
    func damagedBodies(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<10 {
            for (_, message) in Samples.messages {
                var frame = try message.frame()
                var body = Array(frame.body.readableBytesView)
                guard !body.isEmpty else { continue }
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    body[Int.random(in: 0..<body.count, using: &generator)] = .random(
                        in: .min ... .max, using: &generator)
                }
                frame.body = ByteBuffer(bytes: body)
                expectTotal(frame)
            }
        }
    }

    private func survive(_ bytes: [UInt8]) {
        do {
            for frame in try decode([bytes], bodyLimit: 100_000) { expectTotal(frame) }
        } catch {
            #expect(error is WireError, "\(error)")
        }
    }

    /// What decodes must encode again to something that decodes to the same.
    private func expectTotal(_ frame: Frame) {
        do {
            guard let message = try WireMessage.decode(frame) else { return }
            let again = try message.frame()
            #expect(try WireMessage.decode(again) == message)
        } catch {
            #expect(error.detail.count < 2000)
        }
    }
}
