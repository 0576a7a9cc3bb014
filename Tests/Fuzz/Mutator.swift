import TestsSupportRandomness

/// Damages inputs the way that finds faults in readers of formats: repeatable, from a seed.
struct Mutator {
    private var generator: SeededGenerator
    /// What the format's readers look for: magic numbers, keywords, names of members.
    private let words: [[UInt8]]
    /// No input grows beyond this.
    static let longest = 1 << 16

    init(seed: UInt64, words: [[UInt8]]) {
        generator = SeededGenerator(seed: seed)
        self.words = words
    }

    mutating func pick<T>(_ items: [T]) -> T { items[generator.below(items.count)] }

    /// One of the corpus, changed in a few places.
    mutating func input(from corpus: [[UInt8]]) -> [UInt8] {
        var bytes = pick(corpus)
        for _ in 0..<(1 + generator.below(6)) { bytes = changed(bytes, corpus) }
        return Array(bytes.prefix(Self.longest))
    }

    private mutating func place(_ bytes: [UInt8]) -> Int { generator.below(bytes.count + 1) }

    private mutating func changed(_ bytes: [UInt8], _ corpus: [[UInt8]]) -> [UInt8] {
        var bytes = bytes
        guard !bytes.isEmpty else { return words.isEmpty ? [UInt8(generator.below(256))] : pick(words) }
        switch generator.below(10) {
        case 0: bytes[generator.below(bytes.count)] ^= 1 << UInt8(generator.below(8))
        case 1: bytes[generator.below(bytes.count)] = pick([0, 1, 0x7F, 0x80, 0xFE, 0xFF])
        case 2: bytes.insert(UInt8(generator.below(256)), at: place(bytes))
        case 3: bytes.removeSubrange(stretch(bytes))
        case 4:
            let stretch = stretch(bytes)
            bytes.insert(contentsOf: Array(bytes[stretch]), at: place(bytes))
        case 5:
            let other = pick(corpus)
            bytes = Array(bytes.prefix(place(bytes)) + other.suffix(place(other)))
        case 6: bytes = Array(bytes.prefix(place(bytes)))
        case 7 where !words.isEmpty: bytes.insert(contentsOf: pick(words), at: place(bytes))
        case 8 where !words.isEmpty: overwrite(&bytes, with: pick(words))
        default: overwrite(&bytes, with: number())
        }
        return bytes
    }

    private mutating func stretch(_ bytes: [UInt8]) -> Range<Int> {
        let start = generator.below(bytes.count)
        return start..<min(bytes.count, start + 1 + generator.below(64))
    }

    private mutating func overwrite(_ bytes: inout [UInt8], with new: [UInt8]) {
        let start = generator.below(bytes.count)
        for (offset, byte) in new.enumerated() where start + offset < bytes.count { bytes[start + offset] = byte }
    }

    /// A number at an edge, in one of the widths and either order.
    private mutating func number() -> [UInt8] {
        let edges: [UInt64] = [
            0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
            0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF, 1 << 40, 1 << 52
        ]
        let value = pick(edges) &+ UInt64(generator.below(3)) &- 1
        let width = pick([1, 2, 4, 8])
        let big = (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - $0))) }
        return generator.isHit(percent: 50) ? big : big.reversed()
    }
}
