import Logging
import NIOCore
import NIOWebSocket
import ProtocolModel
import Synchronization

/// Carries octets between a WebSocket and a guest's console.
struct ConsoleViewers: Sendable {
    let desk: ConsoleDesk
    let counts: ViewerCounts
    let settings: ConsoleSettings
    let logger: Logger

    typealias Viewer = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    typealias Frames = NIOAsyncChannelInboundStream<WebSocketFrame>
    typealias Writer = NIOAsyncChannelOutboundWriter<WebSocketFrame>

    /// A viewer is asked whether it is still there so often, and is gone when it says nothing in three times that.
    private static let pingEvery = Duration.seconds(30)

    func serve(_ viewer: Viewer, _ ticket: ConsoleTicket) async {
        try? await viewer.executeThenClose { frames, writer in
            guard counts.enter(ticket.server) else {
                return try await say(.init(codeNumber: 1013), "Too many look at this server already.", writer)
            }
            defer { counts.leave(ticket.server) }
            let line: ConsoleLine
            do throws(ConsoleFailure) { line = try await desk.open(ticket.kind, of: ticket.server) } catch {
                logger.info(
                    "a console could not be opened",
                    metadata: ["server": "\(ticket.server)", "reason": "\(error.reason)"])
                return try await say(.unexpectedServerError, error.reason, writer)
            }
            defer { line.end() }
            logger.info(
                "console opened", metadata: ["server": "\(ticket.server)", "kind": "\(ticket.kind.rawValue)"])
            let ending = await relay(line, frames, writer)
            logger.info(
                "console closed", metadata: ["server": "\(ticket.server)", "reason": "\(ending.reason)"])
            // A viewer that has gone hears nothing any more.
            try? await say(ending.code, ending.reason, writer)
        }
    }

    private struct Ending: Sendable {
        var code: WebSocketErrorCode
        var reason: String
    }

    /// Until either end is gone, or nothing moved for long.
    private func relay(_ line: ConsoleLine, _ frames: Frames, _ writer: Writer) async -> Ending {
        let pulse = Pulse()
        return await withTaskGroup(of: Ending.self) { group in
            group.addTask { await listen(frames, line, writer, pulse) }
            group.addTask { await show(line, writer, pulse) }
            group.addTask { await watch(writer, pulse) }
            let first = await group.next() ?? Ending(code: .goingAway, reason: "The coordinator is stopped.")
            // Ends what the others wait for.
            line.end()
            group.cancelAll()
            return Task.isCancelled ? Ending(code: .goingAway, reason: "The coordinator is stopped.") : first
        }
    }

    private func listen(_ frames: Frames, _ line: ConsoleLine, _ writer: Writer, _ pulse: Pulse) async -> Ending {
        do {
            for try await frame in frames {
                pulse.heard()
                // A client masks all that it sends (RFC 6455 section 5.1).
                guard frame.maskKey != nil else { return Ending(code: .protocolError, reason: "Frames are masked.") }
                switch frame.opcode {
                case .binary, .text, .continuation:
                    pulse.moved()
                    let bytes = Array(frame.unmaskedData.readableBytesView)
                    if !bytes.isEmpty { try await line.console.write(bytes) }
                case .ping: try await writer.write(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData))
                case .pong: break
                case .connectionClose: return Ending(code: .normalClosure, reason: "")
                default: return Ending(code: .protocolError, reason: "Unknown kind of frame.")
                }
            }
            return Ending(code: .normalClosure, reason: "The viewer has gone.")
        } catch {
            return Ending(code: .normalClosure, reason: "The console has ended.")
        }
    }

    private func show(_ line: ConsoleLine, _ writer: Writer, _ pulse: Pulse) async -> Ending {
        do {
            while let bytes = try await line.console.read() {
                pulse.moved()
                try await writer.write(WebSocketFrame(fin: true, opcode: .binary, data: ByteBuffer(bytes: bytes)))
            }
            return Ending(code: .normalClosure, reason: "The console has ended.")
        } catch {
            return Ending(code: .goingAway, reason: "The server's host is not connected any more.")
        }
    }

    private func watch(_ writer: Writer, _ pulse: Pulse) async -> Ending {
        let patience = Self.pingEvery * 3
        let idle = Duration.seconds(settings.idleSeconds)
        while (try? await Task.sleep(for: Self.pingEvery, tolerance: .seconds(2))) != nil {
            if pulse.silence > patience { return Ending(code: .goingAway, reason: "The viewer does not answer.") }
            if pulse.stillness > idle { return Ending(code: .normalClosure, reason: "Nothing has moved for long.") }
            let ping = WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer())
            guard (try? await writer.write(ping)) != nil else { break }
        }
        return Ending(code: .goingAway, reason: "The viewer has gone.")
    }

    /// Closes in good order, with a reason that the viewer may show.
    private func say(_ code: WebSocketErrorCode, _ reason: String, _ writer: Writer) async throws {
        var data = ByteBuffer()
        data.write(webSocketErrorCode: code)
        // A control frame has room for 125 octets; the reasons are ASCII.
        data.writeString(String(reason.prefix(120)))
        try await writer.write(WebSocketFrame(fin: true, opcode: .connectionClose, data: data))
    }
}

/// When a viewer was last heard, and when anything was last carried.
private final class Pulse: Sendable {
    private let times: Mutex<(heard: ContinuousClock.Instant, moved: ContinuousClock.Instant)>

    init() {
        let now = ContinuousClock.now
        times = Mutex((now, now))
    }

    func heard() { times.withLock { $0.heard = .now } }
    func moved() { times.withLock { $0.moved = .now } }
    var silence: Duration { ContinuousClock.now - times.withLock { $0.heard } }
    var stillness: Duration { ContinuousClock.now - times.withLock { $0.moved } }
}
