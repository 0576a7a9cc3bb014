/// FNV-1a with 128 bits (draft-eastlake-fnv): tells whether something is still what it was made from. The same on every
/// machine and in every release; not a defence against forgery.
public struct StableDigest: Sendable {
    private var state: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
    private static let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013B

    public init() {}

    public mutating func combine(_ bytes: some Sequence<UInt8>) {
        var state = state
        for byte in bytes { state = (state ^ UInt128(byte)) &* Self.prime }
        self.state = state
    }

    /// A number, so that what lies on either side of it cannot run together.
    public mutating func combine(_ number: Int) {
        for shift in stride(from: 0, to: 64, by: 8) {
            combine(CollectionOfOne(UInt8(truncatingIfNeeded: number >> shift)))
        }
    }

    /// 32 hexadecimal digits in lower case.
    public var text: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 32 - digits.utf8.count) + digits
    }
}

extension ConfigDriveContent {
    /// What ``ServerFiles/configDriveDigest`` shows of a drive made from this content.
    public var digest: String {
        var digest = StableDigest()
        for file in files {
            digest.combine(file.path.utf8.count)
            digest.combine(file.path.utf8)
            digest.combine(file.bytes.count)
            digest.combine(file.bytes)
        }
        return digest.text
    }
}
