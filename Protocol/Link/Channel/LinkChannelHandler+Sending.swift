import Collections
import NIOCore
import ProtocolModel
import ProtocolWire
import Synchronization

/// A message that waits for credit or for the transport.
struct OutgoingMessage {
    var frames: ArraySlice<Frame>
    let hasBegun: Bool
    let ticket: SendTicket
    let continuation: CheckedContinuation<Void, any Error>
}

/// Names one waiting call, so that its task's cancellation finds it.
final class SendTicket: Sendable {
    let isCancelled = Atomic<Bool>(false)
}

/// Bytes of a stream that wait for credit or for the transport.
struct StreamWrite {
    var bytes: ByteBuffer
    let ticket: SendTicket
    let continuation: CheckedContinuation<Void, any Error>
}

extension LinkChannelHandler {
    /// Callers that may wait at once; each holds one message.
    private static let outboxLimit = 1024

    func enqueue(_ frames: [Frame], _ ticket: SendTicket, _ continuation: CheckedContinuation<Void, any Error>) {
        guard closure == nil, session?.phase == .open else {
            return continuation.resume(throwing: LinkError(.closed, closure?.detail ?? "the session is not open"))
        }
        guard !ticket.isCancelled.load(ordering: .relaxed) else {
            return continuation.resume(throwing: CancellationError())
        }
        guard outbox.count < Self.outboxLimit else {
            return continuation.resume(
                throwing: LinkError(.tooManyAtOnce, "\(Self.outboxLimit) messages wait for the peer already"))
        }
        outbox.append(
            OutgoingMessage(frames: frames[...], hasBegun: false, ticket: ticket, continuation: continuation))
        pump()
    }

    func enqueue(
        stream: UInt32, _ bytes: ByteBuffer, _ ticket: SendTicket, _ continuation: CheckedContinuation<Void, any Error>
    ) {
        guard closure == nil, session?.streams.isWriting(stream) == true else {
            return continuation.resume(throwing: LinkError(.streamFailed, "the reader is gone"))
        }
        guard !ticket.isCancelled.load(ordering: .relaxed) else {
            return continuation.resume(throwing: CancellationError())
        }
        guard writers[stream] == nil else {
            return continuation.resume(throwing: LinkError(.tooManyAtOnce, "a write on this stream is under way"))
        }
        writers[stream] = StreamWrite(bytes: bytes, ticket: ticket, continuation: continuation)
        pump()
    }

    func cancel(_ ticket: SendTicket) {
        // A message whose first frame is out must go on, or the peer would mix it with the next one.
        if let index = outbox.firstIndex(where: { $0.ticket === ticket }), !outbox[index].hasBegun {
            outbox.remove(at: index).continuation.resume(throwing: CancellationError())
            pump()
        }
        if let stream = writers.first(where: { $0.value.ticket === ticket })?.key {
            writers.removeValue(forKey: stream)?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Writes what credit and transport allow: messages first, then the streams in turn.
    func pump() {
        guard let context, closure == nil else { return }
        pumpMessages(context.channel)
        pumpStreams(context.channel)
    }

    private func pumpMessages(_ channel: any Channel) {
        while let head = outbox.first, let frame = head.frames.first, channel.isWritable {
            guard session?.takeMessageCredit(frame.wireBytes) == true else { return }
            write(frame)
            if head.frames.count == 1 {
                outbox.removeFirst().continuation.resume()
            } else {
                outbox[0] = OutgoingMessage(
                    frames: head.frames.dropFirst(), hasBegun: true, ticket: head.ticket,
                    continuation: head.continuation)
            }
        }
    }

    private func pumpStreams(_ channel: any Channel) {
        var isStuck = writers.isEmpty
        while !isStuck {
            isStuck = true
            for stream in Array(writers.keys) where channel.isWritable {
                guard var writer = writers[stream] else { continue }
                let wanted = min(writer.bytes.readableBytes, WireLimits.streamChunkBytes)
                let count = session?.streams.takeCredit(stream, upTo: wanted) ?? 0
                guard count > 0, let chunk = writer.bytes.readSlice(length: count) else { continue }
                write(Frame(kind: MessageKind.streamData.rawValue, stream: stream, body: chunk))
                isStuck = false
                if writer.bytes.readableBytes > 0 {
                    writers[stream] = writer
                } else {
                    writers.removeValue(forKey: stream)
                    writer.continuation.resume()
                }
            }
        }
    }

    // MARK: Streams

    /// Opens a stream for reading. Of an upload nothing is read but its end.
    func openStream(_ source: StreamOpening.Source) throws -> (UInt32, Mailbox<[UInt8]>) {
        guard context != nil, closure == nil, session?.phase == .open else {
            throw LinkError(.closed, closure?.detail ?? "the session is not open")
        }
        guard let (stream, effects) = try session?.streams.open(source),
            let mailbox = makeReader(stream, isAnswered: source.isSent)
        else { throw LinkError(.closed, "the session is not open") }
        apply(effects)
        return (stream, mailbox)
    }

    /// - Parameter isAnswered: Whoever reads says how the stream ends: letting go of it says nothing.
    func makeReader(_ stream: UInt32, isAnswered: Bool) -> Mailbox<[UInt8]>? {
        guard let context else { return nil }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let mailbox = Mailbox<[UInt8]>(
            reportStep: limits.streamWindow / 4,
            consumed: { bytes in
                eventLoop.execute { bound.value.withSession { $0.streams.consumed(stream, bytes) } }
            },
            abandoned: { if !isAnswered { eventLoop.execute { bound.value.abandon(stream) } } })
        readers[stream] = mailbox
        return mailbox
    }

    private func abandon(_ stream: UInt32) {
        guard readers.removeValue(forKey: stream) != nil else { return }
        withSession { $0.streams.end(stream, nil) }
    }

    /// The peer ended the stream: its writer with or without error, or its reader because it wants no more or has all.
    func endStream(_ stream: UInt32, _ error: WireRefusal?) {
        readers.removeValue(forKey: stream)?.finish(error.map { .failure(LinkRefusal($0)) } ?? .success(()))
        writers.removeValue(forKey: stream)?.continuation
            .resume(throwing: LinkError(.streamFailed, "the reader wants no more"))
        if !side.isDialler { onEvent(.streamAbandoned(stream)) }
    }

    /// All of a stream is written, or read, or that failed.
    func finishStream(_ stream: UInt32, _ error: WireRefusal?) {
        readers.removeValue(forKey: stream)?.finish(.success(()))
        writers.removeValue(forKey: stream)?.continuation
            .resume(throwing: LinkError(.streamFailed, "the stream was ended here"))
        withSession { $0.streams.end(stream, error) }
    }
}
