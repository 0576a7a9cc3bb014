import NIOCore
import NIOHTTP1

/// One request to the object store. For one task.
package struct ObjectRequest {
    package var method: String
    /// Without the query, still in percent coding.
    package var path: String
    /// As it was written, without the question mark.
    package var rawQuery: String
    package var query: QueryItems
    package var headers: HTTPHeaders
    package var remoteAddress: String
    /// `https://host:8704`, as the client called us.
    package var origin: String
    package var body: RequestBody

    package init(
        method: String, target: String, headers: HTTPHeaders, body: RequestBody, remoteAddress: String = "127.0.0.1",
        scheme: String = "https"
    ) {
        let mark = target.firstIndex(of: "?") ?? target.endIndex
        self.method = method
        path = String(target[..<mark])
        rawQuery = mark == target.endIndex ? "" : String(target[target.index(after: mark)...])
        query = QueryItems(rawQuery)
        self.headers = headers
        self.remoteAddress = remoteAddress
        origin = "\(scheme)://\(headers.first(name: "host") ?? "localhost")"
        self.body = body
    }

    /// The value of a field with the white space around it taken away; `nil` when it is not there.
    package func header(_ name: String) -> String? { headers.first(name: name).map { $0.trimmed } }

    /// Whether a flag is up, as Swift reads flags.
    package func flag(_ name: String) -> Bool { header(name)?.isTruthy ?? false }

    package var contentLength: Int64? { header("content-length").flatMap { Int64($0) } }
    package var isChunked: Bool { header("transfer-encoding")?.lowercased() == "chunked" }
}

extension String {
    package var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }

    package var isTruthy: Bool { ["true", "1", "yes", "on", "t", "y"].contains(lowercased()) }
}

/// The body of a request, piece by piece. Whoever sends it waits until the pieces are taken.
package final class RequestBody {
    private let nextPiece: () async throws -> ByteBuffer?
    private(set) var isOver = false

    package init(_ next: @escaping () async throws -> ByteBuffer?) { nextPiece = next }

    package static var empty: RequestBody { RequestBody { nil } }

    package func next() async throws -> ByteBuffer? {
        guard !isOver else { return nil }
        let piece = try await nextPiece()
        isOver = piece == nil
        return piece
    }

    /// All of it.
    /// - Throws: ``SwiftRefusal`` with 413 for more than `limit` octets.
    package func collect(limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await next() {
            bytes += piece.readableBytesView
            guard bytes.count <= limit else { throw SwiftRefusal(413, "The body is longer than \(limit) octets.") }
        }
        return bytes
    }
}

/// The items of a query, in their order; an item without a value has an empty one.
package struct QueryItems: Sendable {
    package private(set) var items: [(name: String, value: String)] = []

    package init(_ text: some StringProtocol) {
        for item in text.split(separator: "&") {
            let mark = item.firstIndex(of: "=") ?? item.endIndex
            guard let name = PercentText.decode(item[..<mark], plusIsSpace: true) else { continue }
            let rest = mark == item.endIndex ? "" : item[item.index(after: mark)...]
            items.append((name, PercentText.decode(String(rest)[...], plusIsSpace: true) ?? ""))
        }
    }

    package subscript(_ name: String) -> String? { items.first { $0.name == name }?.value }
    package func has(_ name: String) -> Bool { items.contains { $0.name == name } }
}

package enum PercentText {
    /// - Returns: `nil` for what is not UTF-8 or holds a NUL.
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        let source = Array(text.utf8)
        var index = 0
        while index < source.count {
            let byte = source[index]
            if byte == UInt8(ascii: "%"), index + 2 < source.count, let high = digit(source[index + 1]),
                let low = digit(source[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
                continue
            }
            bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            index += 1
        }
        guard !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    package static func encode(_ text: String, keeping others: String = "/") -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~\(others)".utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            if plain.contains(byte) {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
