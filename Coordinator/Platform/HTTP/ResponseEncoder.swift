import HTTPTypes
import NIOCore
import NIOHTTP1

/// Answers as HTTP/1 has them on the wire (RFC 9112). Pure.
enum ResponseEncoder {
    /// How a client sees the end of a body that comes in pieces.
    enum Framing: Sendable {
        case length, chunked, untilClose
    }

    /// What the last piece of a chunked body is followed by.
    static let chunkedEnd = ByteBuffer(string: "0\r\n\r\n")

    static func framing(_ response: OutgoingResponse, version: HTTPVersion) -> Framing {
        if response.headers[.contentLength] != nil { return .length }
        return version == .http1_0 ? .untilClose : .chunked
    }

    /// The head, and the body where it is there already: one buffer, so that it becomes one TLS record and one packet.
    /// - Parameter isLast: The connection is closed after it.
    static func encode(
        _ response: OutgoingResponse, version: HTTPVersion, isLast: Bool, allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        var bytes: [UInt8] = []
        var isChunked = false
        switch response.body {
        case .none: break
        case .bytes(let given): bytes = given
        case .stream: isChunked = framing(response, version: version) == .chunked
        }
        var buffer = allocator.buffer(capacity: 768 + bytes.count)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(response.status))
        buffer.writeStaticString(" ")
        buffer.writeString(HTTPResponseStatus(statusCode: response.status).reasonPhrase)
        buffer.writeStaticString("\r\n")
        // Names and values hold no line ends: HTTPFields takes none in.
        for field in response.headers {
            buffer.writeString(field.name.rawName)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
            buffer.writeStaticString("\r\n")
        }
        if isChunked { buffer.writeStaticString("Transfer-Encoding: chunked\r\n") }
        if isLast {
            buffer.writeStaticString("Connection: close\r\n")
        } else if version == .http1_0 {
            buffer.writeStaticString("Connection: keep-alive\r\n")
        }
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(bytes)
        return buffer
    }

    /// A piece of a body.
    static func piece(_ bytes: ByteBuffer, _ framing: Framing) -> ByteBuffer {
        // A chunk of no bytes would be the end.
        guard framing == .chunked, bytes.readableBytes > 0 else { return bytes }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes.readableBytes + 20)
        buffer.writeString(String(bytes.readableBytes, radix: 16))
        buffer.writeStaticString("\r\n")
        buffer.writeImmutableBuffer(bytes)
        buffer.writeStaticString("\r\n")
        return buffer
    }
}
