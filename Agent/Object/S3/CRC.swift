/// Cyclic redundancy checks whose lowest bit comes first, with all bits inverted before and after. Eight octets a step.
package struct CRC: Sendable {
    package let width: Int
    private let polynomial: UInt64
    /// What each octet does, as the eighth from behind, the seventh, and so on.
    private let tables: [UInt64]

    /// IEEE 802.3, as in zip files.
    package static let ieee = Self(width: 32, polynomial: 0xEDB8_8320)
    /// iSCSI (RFC 3720).
    package static let castagnoli = Self(width: 32, polynomial: 0x82F6_3B78)
    /// NVM Express.
    package static let nvme = Self(width: 64, polynomial: 0x9A6C_9329_AC4B_C9B5)

    private init(width: Int, polynomial: UInt64) {
        self.width = width
        self.polynomial = polynomial
        var tables = [UInt64](repeating: 0, count: 8 * 256)
        for octet in 0..<256 {
            var value = UInt64(octet)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
            tables[octet] = value
        }
        for slice in 1..<8 {
            for octet in 0..<256 {
                let value = tables[(slice - 1) * 256 + octet]
                tables[slice * 256 + octet] = value >> 8 ^ tables[Int(value & 0xff)]
            }
        }
        self.tables = tables
    }

    private var mask: UInt64 { width == 64 ? .max : 1 << UInt64(width) - 1 }
    var start: UInt64 { mask }
    func finish(_ value: UInt64) -> UInt64 { ~value & mask }

    func update(_ value: UInt64, _ bytes: UnsafeRawBufferPointer) -> UInt64 {
        tables.withUnsafeBufferPointer { tables in
            var value = value
            var index = 0
            let whole = bytes.count & ~7
            while index < whole {
                var word = value ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                value = 0
                var slice = 7 * 256
                while slice >= 0 {
                    value ^= tables[slice + Int(word & 0xff)]
                    word >>= 8
                    slice -= 256
                }
                index += 8
            }
            while index < bytes.count {
                value = tables[Int((value ^ UInt64(bytes[index])) & 0xff)] ^ value >> 8
                index += 1
            }
            return value
        }
    }

    /// Big-endian.
    func octets(_ value: UInt64) -> [UInt8] {
        stride(from: width - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
    }

    /// The check of two texts behind each other, from those of both and the octets of the second.
    func combine(_ first: UInt64, _ second: UInt64, behind size: Int64) -> UInt64 {
        multiply(first, power(size)) ^ second
    }

    private func multiply(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var bit = UInt64(1) << UInt64(width - 1), right = right, product: UInt64 = 0
        while bit != 0 {
            if left & bit != 0 { product ^= right }
            right = right & 1 == 1 ? right >> 1 ^ polynomial : right >> 1
            bit >>= 1
        }
        return product
    }

    /// What moves a check over so many octets.
    private func power(_ octets: Int64) -> UInt64 {
        // One, and x to the eighth.
        var result = UInt64(1) << UInt64(width - 1), square = UInt64(1) << UInt64(width - 9), left = octets
        while left > 0 {
            if left & 1 == 1 { result = multiply(result, square) }
            square = multiply(square, square)
            left >>= 1
        }
        return result
    }
}
