import ProtocolModel
import SwiftProtobuf

/// A value with a lasting form in bytes: what travels in frames, and what both daemons keep in their stores.
public protocol WireRepresentable: Sendable {
    /// - Throws: ``WireError`` for bytes that are not such a value; unknown fields are skipped.
    init(wireBytes: [UInt8]) throws(WireError)
    /// Equal values give equal bytes.
    var wireBytes: [UInt8] { get throws(WireError) }
}

/// A value that corresponds to one protobuf message.
protocol MessageConvertible {
    associatedtype PB: SwiftProtobuf.Message
    init(_ message: PB) throws(WireError)
    var wire: PB { get }
}

/// Parses a body and converts it.
func decode<Value: MessageConvertible>(
    _ bytes: some SwiftProtobufContiguousBytes, as _: Value.Type = Value.self
) throws(WireError) -> Value {
    try Value(parse(bytes, as: Value.PB.self))
}

/// Parses a body alone.
func parse<PB: SwiftProtobuf.Message>(
    _ bytes: some SwiftProtobufContiguousBytes, as _: PB.Type = PB.self
) throws(WireError) -> PB {
    do {
        return try PB(serializedBytes: bytes)
    } catch {
        throw WireError(.malformedBody, "\(PB.protoMessageName): \(error)")
    }
}

/// The bytes of a message.
func serialize(_ message: some SwiftProtobuf.Message) throws(WireError) -> [UInt8] {
    do {
        return try message.serializedBytes()
    } catch {
        throw WireError(.bodyTooLarge, "\(type(of: message).protoMessageName): \(error)")
    }
}

extension ResourceSpec {
    /// A stored spec that this release may not be able to read.
    /// - Throws: ``WireError`` for bytes that are no spec of any release.
    public init(wireBytes: [UInt8], of key: ResourceKey) throws(WireError) {
        try self.init(parse(wireBytes), of: key)
    }
}

extension ResourceSpec: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}

extension PlanEntry: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}

extension PlanUpdate: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}

extension ResourceStatus: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}

extension NodeReport: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}

extension NodeHealth: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}

extension Operation: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}

extension OperationResult: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}
