import NIOCore

/// One frame: u32 length of the rest, u8 version, u8 flags, u16 kind, u32 stream id, body. Big-endian; length in octets.
public struct Frame: Hashable, Sendable {
    /// The layout's version; what the bodies mean is negotiated by Hello and Welcome.
    public static let version: UInt8 = 1
    /// What follows the length field before the body.
    static let headerBytes = 8
    /// The overhead of a frame on the wire, its length field included.
    public static let overheadBytes = 12

    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The next frame of this kind belongs to the same message.
        public static let continues = Self(rawValue: 1)
    }

    public var kind: UInt16
    public var flags: Flags
    /// 0 for everything that is not part of a stream.
    public var stream: UInt32
    public var body: ByteBuffer

    public init(kind: UInt16, flags: Flags = [], stream: UInt32 = 0, body: ByteBuffer) {
        self.kind = kind
        self.flags = flags
        self.stream = stream
        self.body = body
    }

    /// The frame's size on the wire in octets.
    public var wireBytes: Int { Self.overheadBytes + body.readableBytes }

    /// Appends the frame to `out`.
    public func write(to out: inout ByteBuffer) {
        out.writeMultipleIntegers(
            UInt32(Self.headerBytes + body.readableBytes), Self.version, flags.rawValue, kind, stream)
        out.writeImmutableBuffer(body)
    }
}

/// Cuts a byte stream into frames. Total: any input gives frames or one ``WireError``, and never more than one frame's
/// worth is waited for.
public struct FrameDecoder: NIOSingleStepByteToMessageDecoder {
    public typealias InboundOut = Frame

    /// The longest body accepted; a listener lowers it for peers it does not know yet.
    public let bodyLimit: Int

    public init(bodyLimit: Int = WireLimits.bodyBytes) { self.bodyLimit = bodyLimit }

    public mutating func decode(buffer: inout ByteBuffer) throws -> Frame? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
        // Judge the length before waiting for the bytes, or one bad peer makes us buffer 4 GiB.
        guard (Frame.headerBytes...Frame.headerBytes + bodyLimit).contains(Int(length)) else {
            throw WireError(.lengthOutOfRange, "\(length) octets, at most \(Frame.headerBytes + bodyLimit)")
        }
        guard var rest = buffer.readLengthPrefixedSlice(as: UInt32.self),
            let (version, flags, kind, stream) = rest.readMultipleIntegers(
                as: (UInt8, UInt8, UInt16, UInt32).self)
        else { return nil }
        guard version == Frame.version else { throw WireError(.unknownFrameVersion, "version \(version)") }
        return Frame(kind: kind, flags: Frame.Flags(rawValue: flags), stream: stream, body: rest)
    }

    public mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> Frame? {
        if let frame = try decode(buffer: &buffer) { return frame }
        guard buffer.readableBytes == 0 else {
            throw WireError(.endedInsideFrame, "\(buffer.readableBytes) octets of an unfinished frame")
        }
        return nil
    }
}
