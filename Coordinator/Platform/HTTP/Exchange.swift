import HTTPTypes
import NIOCore
import Synchronization

/// A request as the server takes it, whichever way it came: TLS, the operator's socket, or a test in the same process.
public struct IncomingRequest: Sendable {
    public var method: HTTPRequest.Method
    /// Path and query as they came.
    public var target: String
    public var headers: HTTPFields
    public var body: IncomingBody
    /// `https`, or `http` on loopback and the operator's socket.
    public var scheme: String
    /// Host and port as the client addressed us.
    public var authority: String
    public var remoteAddress: String
    /// It came over the operator's socket: whoever can open that file is the administrator.
    public var isTrusted: Bool

    public init(
        method: HTTPRequest.Method, target: String, headers: HTTPFields = [:], body: IncomingBody = .bytes([]),
        scheme: String = "http", authority: String = "localhost", remoteAddress: String = "127.0.0.1",
        isTrusted: Bool = false
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.scheme = scheme
        self.authority = authority
        self.remoteAddress = remoteAddress
        self.isTrusted = isTrusted
    }
}

extension HTTPFields {
    /// The same as the subscript, which makes a new text also of a single value: tokens are long.
    public func value(_ name: HTTPField.Name) -> String? {
        guard let index = firstIndex(where: { $0.name == name }) else { return nil }
        let isAlone = self[(index + 1)...].allSatisfy { $0.name != name }
        return isAlone ? self[index].value : self[name]
    }
}

/// A body that is here already, or one that is still on its way.
public enum IncomingBody: Sendable {
    case bytes([UInt8])
    /// Hands the pieces to the closure, taking the next from the connection only when it returns.
    case stream(@Sendable (_ each: (ByteBuffer) async throws -> Void) async throws -> Void)
}

/// An answer, ready to be written.
public struct OutgoingResponse: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        case stream(AsyncThrowingStream<ByteBuffer, any Error>)
    }

    public var status: Int
    public var headers: HTTPFields
    public var body: Body

    public init(status: Int, headers: HTTPFields, body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// A handler's view of the body.
struct LimitedBody: RequestBodySource {
    let body: IncomingBody
    /// Bytes that may be held in memory.
    let limit: Int
    /// `Content-Length`, where the client said it.
    let announced: Int64?
    let words: ErrorWords
    private let held = HeldBytes()

    func json() async throws -> JSON {
        let bytes = try await bytes()
        do { return try JSON.parse(bytes) } catch { throw words.malformedJSON(error) }
    }

    func bytes() async throws -> [UInt8] {
        if let announced, announced > limit { throw words.tooLarge }
        switch body {
        case .bytes(let bytes):
            guard bytes.count <= limit else { throw words.tooLarge }
            return bytes
        case .stream(let pull):
            // A stream can be read once only, and a handler may hand its call on to another one.
            if let known = held.bytes.withLock({ $0 }) { return known }
            var collected: [UInt8] = []
            if let announced { collected.reserveCapacity(Int(announced)) }
            try await pull { chunk in
                guard collected.count + chunk.readableBytes <= limit else { throw words.tooLarge }
                collected.append(contentsOf: chunk.readableBytesView)
            }
            let whole = collected
            held.bytes.withLock { $0 = whole }
            return whole
        }
    }

    func forEachChunk(_ each: (ByteBuffer) async throws -> Void) async throws {
        switch body {
        case .bytes(let bytes): try await each(ByteBuffer(bytes: bytes))
        case .stream(let pull): try await pull(each)
        }
    }
}

/// A body that was read, for who asks again.
private final class HeldBytes: Sendable {
    let bytes = Mutex<[UInt8]?>(nil)
}
