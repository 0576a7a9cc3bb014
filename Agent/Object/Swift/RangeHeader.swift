/// `Range: bytes=0-99,200-,-50` (RFC 9110 section 14).
enum RangeHeader {
    /// More than Swift's limits of ranges make the whole header unsatisfiable: many small ones are an attack.
    static let limit = 50

    /// - Returns: The parts of `size` octets that are asked for; `nil` for a header that means nothing (all of it), and
    ///   none where nothing of what is asked for is there.
    static func parse(_ text: String, size: Int64) -> [Range<Int64>]? {
        guard text.hasPrefix("bytes=") else { return nil }
        var ranges: [Range<Int64>] = []
        let items = text.dropFirst(6).split(separator: ",", omittingEmptySubsequences: false)
        guard items.count <= limit else { return [] }
        for item in items {
            let parts = String(item).trimmed.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !(parts[0].isEmpty && parts[1].isEmpty) else { return nil }
            if parts[0].isEmpty {
                guard let count = number(parts[1]) else { return nil }
                if count > 0, size > 0 { ranges.append(max(0, size - count)..<size) }
                continue
            }
            guard let first = number(parts[0]) else { return nil }
            var last = size - 1
            if !parts[1].isEmpty {
                guard let given = number(parts[1]), given >= first else { return nil }
                last = min(given, last)
            }
            if first <= last { ranges.append(first..<(last + 1)) }
        }
        return ranges
    }

    private static func number(_ digits: Substring) -> Int64? {
        digits.allSatisfy { ("0"..."9").contains($0) } ? Int64(digits) ?? .max / 2 : nil
    }
}
