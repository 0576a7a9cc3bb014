import ProtocolModel

/// A stream both ways, the same at both ends. One task reads, one writes; either end may finish it.
public struct LinkConsole: Sendable {
    let incoming: LinkByteStream
    let writer: LinkStreamWriter

    /// - Returns: `nil` when the other end has finished.
    /// - Throws: ``LinkRefusal`` with its reason, or ``LinkError`` when the session is over.
    public func read() async throws -> [UInt8]? {
        var iterator = incoming.makeAsyncIterator()
        return try await iterator.next()
    }

    /// Waits until all of it is handed to the transport, which happens as fast as the other end takes it.
    public func write(_ bytes: [UInt8]) async throws { try await writer.write(bytes) }

    /// Ends it for both. Does not wait; what was written before still arrives.
    public func finish(_ reason: LinkRefusal? = nil) { writer.connection.finishStream(writer.stream, reason?.wire) }
}
