import ProtocolModel

/// Ids that this service made carry a mark, so that none of them has to be remembered once its image is gone: a client
/// may choose an id, but none with the mark.
enum ImageMark {
    private static let bits: UInt64 = 0xFFFF_FFFF

    /// A random id with its mark: version 4, and 90 random bits.
    static func random(using generator: inout some RandomNumberGenerator) -> ImageID {
        let id = ImageID.random(using: &generator)
        return ImageID(high: id.high, low: id.low & ~bits | mark(id))
    }

    static func random() -> ImageID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// Whether only this service can have made it. One id in four thousand million has the mark by chance.
    static func has(_ id: ImageID) -> Bool { id.low & bits == mark(id) }

    /// Follows from the other 96 bits. It is no secret: what it keeps clients from is to choose such an id.
    private static func mark(_ id: ImageID) -> UInt64 { mixed(id.high ^ mixed(id.low & ~bits)) & bits }

    /// The finalizer of SplitMix64.
    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = word &+ 0x9E37_79B9_7F4A_7C15
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
