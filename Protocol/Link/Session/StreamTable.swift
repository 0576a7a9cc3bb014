import NIOCore
import ProtocolWire

/// The streams of one connection. The dialling side opens them and reads what the accepting side writes; of an upload,
/// the other way round; of a console, both do both.
package struct StreamTable: Sendable {
    private struct Stream: Equatable, Sendable {
        /// `nil`: nothing is read here.
        var receive: ReceiveCredit?
        /// `nil`: nothing is written here.
        var send: SendCredit?
    }

    private let window: Int
    private let limit: Int
    private var streams: [UInt32: Stream] = [:]
    /// The highest id in use so far; ids are odd and never used twice.
    private var lastID: UInt32 = 0

    package init(window: Int, limit: Int) {
        self.window = window
        self.limit = limit
    }

    package var count: Int { streams.count }

    /// Opens a stream: for reading, or for writing what the peer gives credit for.
    /// - Throws: ``LinkError`` with `tooManyAtOnce`, or `closed` when the ids are used up (a new session has new ones).
    package mutating func open(_ source: StreamOpening.Source) throws(LinkError) -> (
        id: UInt32, effects: [LinkSession.Effect]
    ) {
        guard streams.count < limit else { throw LinkError(.tooManyAtOnce, "\(limit) streams are open") }
        guard lastID < .max - 2 else { throw LinkError(.closed, "the session has used up its stream ids") }
        let id = lastID == 0 ? 1 : lastID + 2
        lastID = id
        streams[id] = Stream(
            receive: source.isRead ? ReceiveCredit(window: window) : nil, send: source.isSent ? SendCredit(0) : nil)
        let opening = StreamOpening(initialCredit: source.isRead ? UInt32(window) : 0, source: source)
        return (id, [.send(.streamOpen(stream: id, opening))])
    }

    /// The reader took `bytes` off the stream's queue.
    package mutating func consumed(_ id: UInt32, _ bytes: Int) -> [LinkSession.Effect] {
        guard var credit = streams[id]?.receive else { return [] }
        let grant = credit.consume(bytes)
        streams[id]?.receive = credit
        return grant.map { [.send(.streamCredit(stream: id, bytes: $0))] } ?? []
    }

    /// - Returns: How much of `amount` may be sent now.
    package mutating func takeCredit(_ id: UInt32, upTo amount: Int) -> Int {
        guard var credit = streams[id]?.send else { return 0 }
        let taken = credit.takeUpTo(amount)
        streams[id]?.send = credit
        return taken
    }

    package func isWriting(_ id: UInt32) -> Bool {
        streams[id]?.send != nil
    }

    /// Ends a stream from this side: the writer has written all (or failed), or the reader wants no more.
    package mutating func end(_ id: UInt32, _ error: WireRefusal?) -> [LinkSession.Effect] {
        guard streams.removeValue(forKey: id) != nil else { return [] }
        return [.send(.streamEnd(stream: id, error))]
    }

    package mutating func receive(_ message: WireMessage, isAcceptor: Bool) throws(LinkError) -> [LinkSession.Effect] {
        switch message {
        case .streamOpen(let id, let opening):
            return try accept(id, opening, isAcceptor: isAcceptor)
        case .streamData(let id, let bytes):
            guard var credit = try known(id)?.receive else { return [] }
            try credit.receive(bytes.readableBytes)
            streams[id]?.receive = credit
            return [.streamBytes(id, bytes: bytes.readableBytes)]
        case .streamCredit(let id, let grant):
            guard var credit = try known(id)?.send else { return [] }
            try credit.grow(by: grant)
            streams[id]?.send = credit
            return [.streamCreditGrew(id)]
        case .streamEnd(let id, let error):
            guard try known(id) != nil else { return [] }
            streams[id] = nil
            return [.streamEnded(id, error)]
        default: return []
        }
    }

    private mutating func accept(
        _ id: UInt32, _ opening: StreamOpening, isAcceptor: Bool
    ) throws(LinkError) -> [LinkSession.Effect] {
        guard isAcceptor, id % 2 == 1, id > lastID else {
            throw LinkError(.protocolViolation, "stream \(id) opened out of order")
        }
        lastID = id
        guard streams.count < limit else {
            return [.send(.streamEnd(stream: id, WireRefusal(code: .busy, message: "Too many streams at once.")))]
        }
        if opening.source == .unknown {
            let refusal = WireRefusal(code: .notFound, message: "The coordinator has no such kind of stream.")
            return [.send(.streamEnd(stream: id, refusal))]
        }
        var stream = Stream()
        if opening.source.isRead {
            var credit = SendCredit(0)
            try credit.grow(by: opening.initialCredit)
            stream.send = credit
        }
        guard opening.source.isSent else {
            streams[id] = stream
            return [.streamOpened(id, opening.source)]
        }
        stream.receive = ReceiveCredit(window: window)
        streams[id] = stream
        return [.streamOpened(id, opening.source), .send(.streamCredit(stream: id, bytes: UInt32(window)))]
    }

    /// - Returns: `nil` for a stream that has ended here while frames of it were still on their way.
    private func known(_ id: UInt32) throws(LinkError) -> Stream? {
        guard id <= lastID, id % 2 == 1 else { throw LinkError(.protocolViolation, "stream \(id) was never opened") }
        return streams[id]
    }
}
