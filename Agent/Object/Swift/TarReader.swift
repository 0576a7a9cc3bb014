import NIOCore

/// Reads a tar archive (POSIX ustar, GNU long names, pax paths) as it comes: nothing of it is kept but the entry at hand.
struct TarReader {
    struct Malformed: Error {}

    struct Entry: Hashable {
        var path: String
        var size: Int64
        var isFile: Bool
    }

    private static let blockSize = 512
    /// Octets of a name in an extension.
    private static let nameLimit = 4 << 10

    private let body: RequestBody
    private var pending = ByteBuffer()
    /// Octets of the present entry that were not read, and those that fill its last block.
    private var left: Int64 = 0
    private var padding = 0

    init(_ body: RequestBody) { self.body = body }

    /// - Returns: `nil` behind the last entry.
    mutating func next() async throws -> Entry? {
        var longName: String?
        while true {
            while try await content() != nil {}
            try await skipPadding()
            guard let block = try await take(Self.blockSize) else { return nil }
            if block.allSatisfy({ $0 == 0 }) { return nil }
            let header = try Self.header(block)
            left = header.size
            padding = Int((Int64(Self.blockSize) - header.size % Int64(Self.blockSize)) % Int64(Self.blockSize))
            switch header.type {
            case UInt8(ascii: "L"): longName = Self.text(try await small())
            case UInt8(ascii: "x"): longName = Self.paxPath(try await small()) ?? longName
            case UInt8(ascii: "g"), UInt8(ascii: "K"): continue
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
                return Entry(path: longName ?? header.path, size: header.size, isFile: true)
            default:
                return Entry(path: longName ?? header.path, size: header.size, isFile: false)
            }
        }
    }

    /// The next piece of the present entry; `nil` at its end.
    mutating func content() async throws -> ByteBufferView? {
        guard left > 0 else { return nil }
        if pending.readableBytes == 0 {
            guard let more = try await body.next() else { throw Malformed() }
            pending = more
        }
        let count = Int(min(left, Int64(pending.readableBytes)))
        left -= Int64(count)
        return pending.readSlice(length: count)?.readableBytesView
    }

    private mutating func small() async throws -> [UInt8] {
        guard left <= Self.nameLimit else { throw Malformed() }
        var bytes: [UInt8] = []
        while let piece = try await content() { bytes += piece }
        return bytes
    }

    private mutating func skipPadding() async throws {
        guard padding > 0 else { return }
        guard try await take(padding) != nil else { throw Malformed() }
        padding = 0
    }

    /// - Returns: `nil` at the end of the body.
    private mutating func take(_ count: Int) async throws -> [UInt8]? {
        while pending.readableBytes < count {
            guard var more = try await body.next() else { return nil }
            pending.writeBuffer(&more)
        }
        pending.discardReadBytes()
        return pending.readBytes(length: count)
    }

    // MARK: Headers

    private static func header(_ block: [UInt8]) throws -> (path: String, size: Int64, type: UInt8) {
        let sum = block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
        guard number(block[148..<156]).map({ $0 == Int64(sum) }) == true, let size = number(block[124..<136]), size >= 0
        else { throw Malformed() }
        var path = text(block[0..<100])
        if block[257..<262].elementsEqual("ustar".utf8), block[345] != 0 { path = text(block[345..<500]) + "/" + path }
        return (path, size, block[156])
    }

    /// Octal digits, or a big-endian number where the first bit is set.
    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        if let first = field.first, first & 0x80 != 0 {
            return field.dropFirst(field.count - 8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        }
        let digits = field.filter { $0 != 0 && $0 != 32 }
        return digits.isEmpty ? 0 : Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private static func text(_ field: some Sequence<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Lines of `LENGTH path=NAME`.
    private static func paxPath(_ bytes: [UInt8]) -> String? {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            guard let mark = text.firstRange(of: " path=") else { continue }
            return String(text[mark.upperBound...])
        }
        return nil
    }
}
