import ProtocolModel
import ProtocolWire

extension Identifier {
    /// Sixteen octets, in the order of the text.
    var column: [UInt8] {
        [high, low].flatMap { word in withUnsafeBytes(of: word.bigEndian) { [UInt8]($0) } }
    }

    init?(column: [UInt8]) {
        guard column.count == 16 else { return nil }
        self.init(
            high: column.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
            low: column.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}

extension WireRepresentable {
    var bytes: [UInt8] { get throws { try wireBytes } }
}
