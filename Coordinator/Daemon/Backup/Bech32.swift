/// The text form of keys (BIP 173): a prefix that says what it is, 5 bits a character, and a checksum that finds typing
/// errors.
package enum Bech32 {
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    /// - Returns: What stands in a text of this prefix, in either case; `nil` for anything else.
    package static func decode(_ text: String, prefix: String) -> [UInt8]? {
        let lower = text.lowercased()
        guard text == lower || text == text.uppercased(), lower.hasPrefix(prefix + "1") else { return nil }
        let values = lower.utf8.dropFirst(prefix.utf8.count + 1).map { alphabet.firstIndex(of: $0).map(UInt8.init) }
        guard values.count >= 6, !values.contains(nil) else { return nil }
        let digits = values.compactMap { $0 }
        guard checksum(prefix, digits) == 1 else { return nil }
        return octets(digits.dropLast(6))
    }

    private static func octets(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        var (held, bits): (UInt32, Int) = (0, 0)
        var out: [UInt8] = []
        for digit in digits {
            held = held << 5 | UInt32(digit)
            bits += 5
            guard bits >= 8 else { continue }
            bits -= 8
            out.append(UInt8(truncatingIfNeeded: held >> UInt32(bits)))
            held &= (1 << UInt32(bits)) - 1
        }
        // What is over is padding: less than a digit, and zero.
        return bits < 5 && held == 0 ? out : nil
    }

    private static func checksum(_ prefix: String, _ digits: [UInt8]) -> UInt32 {
        let name = Array(prefix.utf8)
        var sum: UInt32 = 1
        for value in name.map({ $0 >> 5 }) + [0] + name.map({ $0 & 31 }) + digits {
            let top = sum >> 25
            sum = (sum & 0x1ff_ffff) << 5 ^ UInt32(value)
            for (bit, mask) in [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].enumerated()
            where top >> UInt32(bit) & 1 == 1 { sum ^= UInt32(mask) }
        }
        return sum
    }
}
