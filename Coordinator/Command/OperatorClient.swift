import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix

/// Speaks to the coordinator through its local socket, whose file mode is the permission.
struct OperatorClient: Sendable {
    let socket: String
    /// The longest answer taken, bytes.
    private static let answerLimit = 64 << 20

    struct Answer: Sendable {
        var status: UInt
        var body: [UInt8]
    }

    /// - Throws: ``OperatorError`` when the coordinator cannot be reached or refuses.
    func call(_ method: HTTPMethod, _ path: String, body: [UInt8] = []) async throws -> [UInt8] {
        let answer: Answer
        do {
            answer = try await exchange(method, path, body: body)
        } catch let error as OperatorError {
            throw error
        } catch {
            throw OperatorError(
                "The coordinator does not answer on '\(socket)' (\(error)): is skerry-coordinator running, and are you root? "
                    + "Another socket is named with --socket.")
        }
        guard (200..<300).contains(answer.status) else {
            let refusal = try? Self.decode(Refusal.self, from: answer.body)
            throw OperatorError(refusal?.error.message ?? "The coordinator answered with status \(answer.status).")
        }
        return answer.body
    }

    func get<Body: Decodable>(_ path: String, as _: Body.Type = Body.self) async throws -> Body {
        try Self.decode(Body.self, from: try await call(.GET, path))
    }

    /// The operator API's names are in snake case.
    static func decode<Body: Decodable>(_: Body.Type, from bytes: [UInt8]) throws -> Body {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Body.self, from: Data(bytes))
    }

    static func encode(_ body: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return Array(try encoder.encode(body))
    }

    private struct Refusal: Decodable {
        struct Detail: Decodable { var message: String }
        var error: Detail
    }

    private func exchange(_ method: HTTPMethod, _ path: String, body: [UInt8]) async throws -> Answer {
        let answer = NIOSingletons.posixEventLoopGroup.next().makePromise(of: Answer.self)
        let channel = try await ClientBootstrap(group: answer.futureResult.eventLoop)
            .connectTimeout(.seconds(5))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(
                        AnswerCollector(promise: answer, limit: Self.answerLimit))
                }
            }
            .connect(unixDomainSocketPath: socket).get()
        let headers: HTTPHeaders = [
            "Host": "localhost", "Content-Type": "application/json", "Content-Length": "\(body.count)",
            "Connection": "close"
        ]
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if !body.isEmpty {
            channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        defer { channel.close(promise: nil) }
        return try await answer.futureResult.get()
    }
}

/// Why a command could not be carried out, for the person at the terminal.
struct OperatorError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Puts one answer together. Lives on its channel's event loop.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<OperatorClient.Answer>
    private let limit: Int
    private var status: UInt = 0
    private var body: [UInt8] = []

    init(promise: EventLoopPromise<OperatorClient.Answer>, limit: Int) {
        self.promise = promise
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = head.status.code
        case .body(let part):
            guard body.count + part.readableBytes <= limit else {
                promise.fail(OperatorError("The answer is larger than \(limit) bytes."))
                return context.close(promise: nil)
            }
            body += part.readableBytesView
        case .end: promise.succeed(.init(status: status, body: body))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
    }
}
