import ProtocolModel

/// A set of addresses of one family, kept as the fewest ranges that hold it. Pure.
package struct PrefixSet: Sendable, Hashable {
    package let family: IPAddress.Family
    /// In ascending order; between two of them something is missing.
    private var ranges: [ClosedRange<UInt128>]

    /// - Parameter prefixes: In any order, overlapping or not; those of the other family are left out.
    package init(_ prefixes: [IPPrefix], _ family: IPAddress.Family) {
        self.family = family
        let sorted = prefixes.filter { $0.family == family }.map { $0.first.bits...$0.last.bits }
            .sorted { $0.lowerBound < $1.lowerBound }
        ranges = sorted.reduce(into: []) { merged, range in
            guard let last = merged.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 else {
                return merged.append(range)
            }
            merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        }
    }

    package var isEmpty: Bool { ranges.isEmpty }

    /// What is in this set and not in the other.
    package func subtracting(_ other: Self) -> Self {
        var result = self
        result.ranges = []
        var index = 0
        for range in ranges {
            var low = range.lowerBound
            var isUsedUp = false
            while index < other.ranges.count, other.ranges[index].upperBound < low { index += 1 }
            var next = index
            while next < other.ranges.count, other.ranges[next].lowerBound <= range.upperBound, !isUsedUp {
                let hole = other.ranges[next]
                if hole.lowerBound > low { result.ranges.append(low...(hole.lowerBound - 1)) }
                isUsedUp = hole.upperBound >= range.upperBound
                if !isUsedUp { low = hole.upperBound + 1 }
                next += 1
            }
            if !isUsedUp { result.ranges.append(low...range.upperBound) }
        }
        return result
    }

    package func isDisjoint(with other: Self) -> Bool {
        var (left, right) = (ranges[...], other.ranges[...])
        while let one = left.first, let two = right.first {
            if one.overlaps(two) { return false }
            if one.upperBound < two.lowerBound { left = left.dropFirst() } else { right = right.dropFirst() }
        }
        return true
    }

    package func isSuperset(of other: Self) -> Bool { other.subtracting(self).isEmpty }

    /// The fewest prefixes that hold the set, in ascending order.
    package var prefixes: [IPPrefix] { ranges.flatMap(blocks) }

    /// The first prefix of this length in the smallest block that has one, so that large blocks last.
    package func first(ofLength length: Int) -> IPPrefix? {
        var best: IPPrefix?
        for block in ranges.lazy.flatMap(blocks) where block.length <= length {
            if block.length > best?.length ?? -1 { best = block }
            if block.length == length { break }
        }
        return best.flatMap { IPPrefix($0.first, length: length) }
    }

    private func blocks(_ range: ClosedRange<UInt128>) -> [IPPrefix] {
        var blocks: [IPPrefix] = []
        var start = range.lowerBound
        while true {
            var size = min(start.trailingZeroBitCount, family.bitCount)
            while end(of: start, size) > range.upperBound { size -= 1 }
            if let block = IPPrefix(IPAddress(family: family, bits: start), length: family.bitCount - size) {
                blocks.append(block)
            }
            let last = end(of: start, size)
            guard last < range.upperBound else { return blocks }
            start = last + 1
        }
    }

    /// The last address of the block of `2^size` addresses that begins at `start`.
    private func end(of start: UInt128, _ size: Int) -> UInt128 {
        size == 128 ? .max : start | ((UInt128(1) << UInt128(size)) - 1)
    }
}
