import FoundationEssentials
import ProtocolModel
import ProtocolWire

extension Identifier {
    /// Sixteen octets, in the order of the text.
    var column: Data {
        var data = Data(capacity: 16)
        for word in [high, low] {
            withUnsafeBytes(of: word.bigEndian) { data.append(contentsOf: $0) }
        }
        return data
    }

    init?(column: Data) {
        guard column.count == 16 else { return nil }
        self.init(
            high: column.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
            low: column.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}

extension WireRepresentable {
    var bytes: [UInt8] { get throws { try wireBytes } }
}
