import AgentCore
import ProtocolModel
import Synchronization

extension SimulatedHypervisor {
    public func openConsole(
        _ kind: ConsoleKind, of server: ServerID
    ) async throws(StatusError) -> any ByteChannel {
        try await enterConsole(server)
        guard isActive(server) else {
            throw StatusError(
                code: .conflict, message: "The server does not run: start it first.", detail: "console \(server)")
        }
        return SimulatedConsole(kind)
    }
}

/// A guest's end of a console that says what is needed to be taken for one: on the serial port it repeats what is typed, on
/// the screen it speaks RFB (RFC 6143) up to a picture of one colour.
final class SimulatedConsole: ByteChannel {
    private let speaker: Mutex<SimulatedSpeaker>
    private let answers: AsyncStream<[UInt8]>
    private let sink: AsyncStream<[UInt8]>.Continuation

    init(_ kind: ConsoleKind) {
        let speaker = SimulatedSpeaker(kind)
        (answers, sink) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingOldest(256))
        sink.yield(speaker.greeting)
        self.speaker = Mutex(speaker)
    }

    func read() async throws -> [UInt8]? {
        var iterator = answers.makeAsyncIterator()
        return await iterator.next()
    }

    func write(_ bytes: [UInt8]) async throws {
        guard let answer = speaker.withLock({ $0.hear(bytes) }) else { return sink.finish() }
        if !answer.isEmpty { sink.yield(answer) }
    }

    func close() { sink.finish() }
}

/// What a simulated guest answers. Pure.
struct SimulatedSpeaker: Sendable {
    private enum Stage: Sendable { case serial, version, security, sharing, messages }

    static let side = 16
    private var stage: Stage
    private var heard: [UInt8] = []

    init(_ kind: ConsoleKind) { stage = kind == .serial ? .serial : .version }

    var greeting: [UInt8] { Array((stage == .serial ? "login: " : "RFB 003.008\n").utf8) }

    /// - Returns: `nil` for what ends the conversation.
    mutating func hear(_ bytes: [UInt8]) -> [UInt8]? {
        guard stage != .serial else { return bytes }
        heard += bytes
        // Whoever sends more than any message takes is let go.
        guard heard.count <= 65_536 else { return nil }
        var answer: [UInt8] = []
        while let length = length, heard.count >= length {
            let message = Array(heard[..<length])
            heard.removeFirst(length)
            guard let reply = reply(to: message) else { return nil }
            answer += reply
        }
        return answer
    }

    /// Of the message that has begun, as far as it can be told.
    private var length: Int? {
        switch stage {
        case .serial: nil
        case .version: 12
        case .security, .sharing: 1
        case .messages:
            switch heard.first {
            case nil: nil
            case 0: 20
            case 2: heard.count < 4 ? 4 : 4 + 4 * (Int(heard[2]) << 8 | Int(heard[3]))
            case 3: 10
            case 4: 8
            case 5: 6
            case 6: heard.count < 8 ? 8 : 8 + heard[4..<8].reduce(0) { $0 << 8 | Int($1) }
            default: 1
            }
        }
    }

    private mutating func reply(to message: [UInt8]) -> [UInt8]? {
        switch stage {
        case .serial: return nil
        case .version:
            stage = .security
            return [1, 1]
        case .security:
            stage = .sharing
            return message == [1] ? [0, 0, 0, 0] : nil
        case .sharing:
            stage = .messages
            let side = UInt8(Self.side)
            // 32 bits a pixel, true colour, blue lowest.
            let format: [UInt8] = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]
            let name = Array("simulated".utf8)
            return [0, side, 0, side] + format + [0, 0, 0, UInt8(name.count)] + name
        case .messages:
            guard (0...6).contains(message[0]), message[0] != 1 else { return nil }
            return message[0] == 3 ? picture : []
        }
    }

    private var picture: [UInt8] {
        let side = UInt8(Self.side)
        let pixels = Array(repeating: [UInt8]([200, 100, 50, 0]), count: Self.side * Self.side).flatMap { $0 }
        return [0, 0, 0, 1, 0, 0, 0, 0, 0, side, 0, side, 0, 0, 0, 0] + pixels
    }
}
