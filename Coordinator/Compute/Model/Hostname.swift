/// Names for guests to call themselves.
package enum Hostname {
    /// The longest name dnsmasq takes.
    static let limit = 63

    /// Makes a DNS label of a server's name, as the compute API does: blanks, `_` and `.` become `-`, what else cannot
    /// stand in a label goes.
    /// - Returns: An empty string when nothing is left.
    package static func label(_ name: String) -> String {
        var out: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "_"), UInt8(ascii: "."): out.append(UInt8(ascii: "-"))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): out.append(byte + 32)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                out.append(byte)
            default: continue
            }
        }
        let label = out.drop { $0 == UInt8(ascii: "-") }.prefix(limit)
        let end = label.lastIndex { $0 != UInt8(ascii: "-") }
        return end.map { String(decoding: label[...$0], as: UTF8.self) } ?? ""
    }
}
