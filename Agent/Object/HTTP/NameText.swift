/// Names are octets: two spellings of one letter are two names, and a slash before a combining mark is a slash. Strings
/// compare and divide by letters, so what decides by names goes through here.
extension String {
    package func isSameName(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    package func beginsAsName(with beginning: String) -> Bool { utf8.starts(with: beginning.utf8) }

    package var hasSlash: Bool { utf8.contains(UInt8(ascii: "/")) }
    package var endsWithSlash: Bool { utf8.last == UInt8(ascii: "/") }

    /// The parts between slashes, at most so many; the last one may hold further ones.
    package func pathParts(atMost count: Int = .max) -> [String] {
        utf8.split(separator: UInt8(ascii: "/"), maxSplits: count - 1, omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
    }

    /// `container/object`, whatever slashes stand before it; `nil` where one of the two is missing.
    package var containerAndObject: (container: String, object: String)? {
        let bare = String(Substring(utf8.drop { $0 == UInt8(ascii: "/") }))
        let parts = bare.pathParts(atMost: 2)
        return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty ? (parts[0], parts[1]) : nil
    }
}
