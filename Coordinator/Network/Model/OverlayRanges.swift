/// Which VXLAN network identifiers tenants' networks are given. Pure.
public struct OverlayRanges: Sendable, Hashable {
    /// All there are (RFC 7348): 24 bits, and 0 is not used.
    public static let all = 1...16_777_215

    /// Sorted, apart from each other, within ``all``.
    public let ranges: [ClosedRange<Int>]

    /// - Parameter ranges: In any order; what is outside ``all`` is left out, and what overlaps is joined.
    public init(_ ranges: [ClosedRange<Int>] = [Self.all]) {
        var merged: [ClosedRange<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.overlaps(Self.all) {
            let range = range.clamped(to: Self.all)
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    public var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// The identifier for a drawn number: each comes as often as any other.
    package func identifier(at word: UInt64) -> Int? {
        guard count > 0 else { return nil }
        var offset = Int(word % UInt64(count))
        for range in ranges {
            if offset < range.count { return range.lowerBound + offset }
            offset -= range.count
        }
        return nil
    }

    /// - Parameter taken: In ascending order.
    package func lowestFree(_ taken: [Int]) -> Int? {
        var index = taken.startIndex
        for range in ranges {
            var candidate = range.lowerBound
            while candidate <= range.upperBound {
                while index < taken.endIndex, taken[index] < candidate { index += 1 }
                guard index < taken.endIndex, taken[index] == candidate else { return candidate }
                candidate += 1
            }
        }
        return nil
    }
}
