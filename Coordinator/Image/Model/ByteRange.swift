/// Which bytes a request is about (RFC 9110 section 14).
package enum ByteRange {
    package enum Selection: Equatable, Sendable {
        case whole
        /// First byte and count.
        case part(offset: Int64, count: Int64)
        /// The message says what is wrong, in Glance's words.
        case unsatisfiable(String)
    }

    /// - Parameter header: `Range` of a download, `nil` when there is none.
    package static func select(_ header: String?, sizeBytes: Int64) -> Selection {
        guard let header else { return .whole }
        let invalid = Selection.unsatisfiable("Invalid Range header.")
        guard header.hasPrefix("bytes="), !header.contains(",") else { return invalid }
        let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false).map(trim)
        guard ends.count == 2 else { return invalid }
        if ends[0].isEmpty {
            guard let count = number(ends[1]), count > 0 else { return invalid }
            let tail = min(count, sizeBytes)
            return tail == 0 ? beyond(sizeBytes) : .part(offset: sizeBytes - tail, count: tail)
        }
        guard let first = number(ends[0]) else { return invalid }
        guard first < sizeBytes else { return beyond(sizeBytes) }
        if ends[1].isEmpty { return .part(offset: first, count: sizeBytes - first) }
        guard let last = number(ends[1]), last >= first else { return invalid }
        return .part(offset: first, count: min(last, sizeBytes - 1) - first + 1)
    }

    /// What `Content-Range` says of a body: these bytes of so many.
    package struct Content: Equatable, Sendable {
        package var first: Int64
        package var last: Int64
        /// `nil` for `*`.
        package var total: Int64?

        /// - Returns: `nil` for anything but `bytes FIRST-LAST/TOTAL` with numbers that fit together.
        package init?(_ header: String) {
            guard header.hasPrefix("bytes ") else { return nil }
            let parts = header.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false).map(trim)
            guard parts.count == 2 else { return nil }
            let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2, let first = number(trim(ends[0])), let last = number(trim(ends[1])), last >= first
            else { return nil }
            if parts[1] != "*" {
                guard let number = number(parts[1]), number > last else { return nil }
                total = number
            }
            self.first = first
            self.last = last
        }

        package var count: Int64 { last - first + 1 }
        /// Whether nothing comes after it.
        package var isEnd: Bool { total.map { last == $0 - 1 } ?? false }
    }

    private static func beyond(_ size: Int64) -> Selection {
        .unsatisfiable(
            """
            Invalid start position in Range header. Start position MUST be in the inclusive range[0, \(max(0, size - 1))].
            """)
    }

    private static func number(_ text: Substring) -> Int64? {
        // At most 18 digits, so that sums of two cannot overflow.
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}
