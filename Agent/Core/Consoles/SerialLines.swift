import ProtocolModel

/// The serial ports that somebody looks at. A guest's port takes one connection: all who look share it, each sees all
/// that the guest says, and all may type.
final class SerialLines: Sendable {
    private let lines = SerialLineTable()

    /// - Parameter open: Connects to the guest's port; not called where a connection is open.
    func join(
        _ server: ServerID, _ open: () async throws(StatusError) -> any ByteChannel
    ) async throws(StatusError) -> any ByteChannel {
        if let viewer = await lines.join(server) { return viewer }
        let port = try await open()
        return await lines.join(server, over: port)
    }
}

/// Which lines are open, and who looks.
private actor SerialLineTable {
    /// Pieces that may wait for one viewer; a slower one is let go rather than holding up the guest and the others.
    private static let waiting = 64

    private struct Line {
        let port: any ByteChannel
        let number: Int
        var viewers: [Int: AsyncStream<[UInt8]>.Continuation] = [:]
    }

    private var lines: [ServerID: Line] = [:]
    private var last = 0

    func join(_ server: ServerID) -> (any ByteChannel)? { lines[server] == nil ? nil : add(server) }

    /// - Parameter port: Closed where somebody else was faster.
    func join(_ server: ServerID, over port: any ByteChannel) -> any ByteChannel {
        if lines[server] != nil {
            port.close()
        } else {
            last += 1
            let line = Line(port: port, number: last)
            lines[server] = line
            Task { await self.listen(server, line) }
        }
        return add(server)
    }

    private func add(_ server: ServerID) -> SerialViewer {
        last += 1
        let number = last
        let (stream, sink) = AsyncStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingOldest(Self.waiting))
        lines[server]?.viewers[number] = sink
        let port = lines[server]?.port
        return SerialViewer(bytes: stream, port: port) {
            sink.finish()
            Task { await self.leave(server, number) }
        }
    }

    private func leave(_ server: ServerID, _ number: Int) {
        guard lines[server]?.viewers.removeValue(forKey: number) != nil, lines[server]?.viewers.isEmpty == true else {
            return
        }
        lines.removeValue(forKey: server)?.port.close()
    }

    private func listen(_ server: ServerID, _ line: Line) async {
        while let bytes = try? await line.port.read() { tell(server, line.number, bytes) }
        line.port.close()
        guard lines[server]?.number == line.number else { return }
        for sink in lines.removeValue(forKey: server)?.viewers.values.map({ $0 }) ?? [] { sink.finish() }
    }

    private func tell(_ server: ServerID, _ line: Int, _ bytes: [UInt8]) {
        guard lines[server]?.number == line else { return }
        for (number, sink) in lines[server]?.viewers ?? [:] {
            guard case .dropped = sink.yield(bytes) else { continue }
            sink.finish()
            leave(server, number)
        }
    }
}

/// One who looks at a serial port.
private final class SerialViewer: ByteChannel {
    private let bytes: AsyncStream<[UInt8]>
    private let port: (any ByteChannel)?
    private let leave: @Sendable () -> Void

    init(bytes: AsyncStream<[UInt8]>, port: (any ByteChannel)?, leave: @escaping @Sendable () -> Void) {
        self.bytes = bytes
        self.port = port
        self.leave = leave
    }

    func read() async throws -> [UInt8]? {
        var iterator = bytes.makeAsyncIterator()
        return await iterator.next()
    }

    func write(_ bytes: [UInt8]) async throws {
        guard let port else { throw CancellationError() }
        try await port.write(bytes)
    }

    func close() { leave() }
}
