import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// What a request can tell of the port or socket that it came by.
struct Listener: Sendable {
    /// `https`, or `http` on loopback and the operator's socket.
    let scheme: String
    /// It is the operator's socket.
    let isTrusted: Bool
}

/// Makes a channel that was accepted an ``HTTPConnection``, and does the work that is not done on its event loop.
struct HTTPConnectionSetup: ServerChildChannel {
    let pipeline: RequestPipeline
    let listener: Listener
    let idleTimeout: TimeAmount

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        fileprivate let connection: NIOLoopBound<HTTPConnection>
        fileprivate let jobs: AsyncStream<HTTPConnection.Job>
    }

    /// Bytes of all of a request's fields together, and of each.
    private static let fieldsLimit = 80 << 10
    /// Bytes that the decoder may keep: it reads nothing behind a request to upgrade.
    private static let undecodedLimit = 1 << 20

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = Self.fieldsLimit
            limits.maxHeaderListSize = Self.fieldsLimit
            limits.maxHeaderFieldCount = 1000
            let (jobs, continuation) = AsyncStream.makeStream(of: HTTPConnection.Job.self)
            let connection = HTTPConnection(
                pipeline: pipeline, listener: listener, idleTimeout: idleTimeout, jobs: continuation)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(
                ByteToMessageHandler(
                    HTTPRequestDecoder(limitConfiguration: limits), maximumBufferSize: Self.undecodedLimit))
            try pipeline.addHandler(connection)
            return Value(
                channel: channel, connection: NIOLoopBound(connection, eventLoop: channel.eventLoop), jobs: jobs)
        }
    }

    /// Ends with the connection, after the answer that is being made.
    func handle(value: Value, logger: Logger) async {
        let channel = value.channel
        await withTaskCancellationHandler {
            for await job in value.jobs { await send(await job.answer(), to: job.exchange, value) }
        } onCancel: {
            channel.eventLoop.execute { value.connection.value.abort() }
        }
    }

    private func send(_ response: OutgoingResponse, to exchange: Int, _ value: Value) async {
        let loop = value.channel.eventLoop
        guard case .stream(let chunks) = response.body else {
            return loop.execute { value.connection.value.answer(response, exchange) }
        }
        do {
            let framing = try await loop.submit { try value.connection.value.answerHead(response) }.get()
            let announced = response.headers[.contentLength].flatMap { Int($0) }
            let count = try await send(chunks, framing, value.channel, limit: announced)
            guard announced == nil || announced == count else { throw ChannelError.eof }
            loop.execute { value.connection.value.answerEnd() }
        } catch {
            // The status is out already: only a cut tells that something went wrong.
            loop.execute { value.connection.value.abort() }
        }
    }

    /// While one piece goes out, the next one is fetched.
    /// - Returns: The bytes of all pieces.
    private func send(
        _ chunks: AsyncThrowingStream<ByteBuffer, any Error>, _ framing: ResponseEncoder.Framing,
        _ channel: any Channel,
        limit: Int?
    ) async throws -> Int {
        var count = 0
        var last: EventLoopFuture<Void>?
        func write(_ bytes: ByteBuffer) async throws {
            let written = channel.eventLoop.makePromise(of: Void.self)
            channel.writeAndFlush(bytes, promise: written)
            try await last?.get()
            last = written.futureResult
        }
        for try await chunk in chunks {
            count += chunk.readableBytes
            guard limit.map({ count <= $0 }) ?? true else { throw ChannelError.eof }
            try await write(ResponseEncoder.piece(chunk, framing))
        }
        if framing == .chunked { try await write(ResponseEncoder.chunkedEnd) }
        try await last?.get()
        return count
    }
}

/// Reads a request's body from outside of the connection's event loop.
struct BodyReader: Sendable {
    let connection: NIOLoopBound<HTTPConnection>
    let exchange: Int

    func forEach(_ each: (ByteBuffer) async throws -> Void) async throws {
        while let pieces = try await next() {
            for piece in pieces { try await each(piece) }
        }
    }

    /// - Returns: `nil` after the last.
    private func next() async throws -> [ByteBuffer]? {
        let loop = connection.eventLoop
        let promise = loop.makePromise(of: [ByteBuffer]?.self)
        loop.execute { connection.value.takeBody(of: exchange, promise) }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }
}

extension IncomingRequest {
    /// - Returns: `nil` for a method that is no token.
    init?(_ head: HTTPRequestHead, body: IncomingBody, _ listener: Listener, remote: String) {
        guard let method = HTTPRequest.Method(rawValue: head.method.rawValue) else { return nil }
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count)
        var host: String?
        for (name, value) in head.headers {
            guard let name = HTTPField.Name(name) else { continue }
            if host == nil, name.canonicalName == "host" {
                host = value
            } else {
                fields.append(HTTPField(name: name, value: value))
            }
        }
        self.init(
            method: method, target: Self.target(head.uri), headers: fields, body: body, scheme: listener.scheme,
            authority: host ?? "localhost", remoteAddress: remote, isTrusted: listener.isTrusted)
    }

    /// Path and query; a client that takes us for a proxy sends the whole URL (RFC 9112 section 3.2.2).
    static func target(_ uri: String) -> String {
        guard !uri.hasPrefix("/"), let mark = uri.firstRange(of: "://") else { return uri }
        guard let slash = uri[mark.upperBound...].firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
        return uri[slash] == "/" ? String(uri[slash...]) : "/" + uri[slash...]
    }
}
