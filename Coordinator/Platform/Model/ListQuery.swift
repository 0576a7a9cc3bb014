/// What a list call asks for, in the API's names: read by a ``ListDialect``, answered by a ``ListSchema`` out of the
/// database or by ``Filter/matches(_:)`` out of memory.
public struct ListQuery: Sendable, Hashable {
    public enum Comparison: String, Sendable, Hashable, CaseIterable {
        /// Has one of the values.
        case equal
        /// Has none of the values.
        case notEqual
        case less, lessOrEqual, greater, greaterOrEqual
        case contains, startsWith, endsWith
        /// The same without regard to upper and lower case.
        case containsFolded, startsWithFolded, endsWithFolded
    }

    public struct Filter: Sendable, Hashable {
        public var name: String
        public var comparison: Comparison
        /// As they came, but for flags: `true` and `false`.
        public var values: [String]

        public init(_ name: String, _ comparison: Comparison = .equal, _ values: [String]) {
            self.name = name
            self.comparison = comparison
            self.values = values
        }
    }

    public struct Sort: Sendable, Hashable {
        public var name: String
        public var isAscending: Bool

        public init(_ name: String, isAscending: Bool = true) {
            self.name = name
            self.isAscending = isAscending
        }
    }

    public var filters: [Filter] = []
    public var sorts: [Sort] = []
    /// `nil` for all.
    public var limit: Int?
    /// The identity of the last item of the page before.
    public var marker: String?
    /// The page before the marker.
    public var isReversed = false

    public init() {}
}

extension ListQuery.Filter {
    /// The same decision as in the database, on a member of what the API shows.
    public func matches(_ member: JSON?) -> Bool {
        switch member {
        case .bool(let flag): decide { values.contains(flag ? "true" : "false") }
        case .string(let text): compare(text)
        case .int(let number): compare(number)
        case .null, nil: decide { values.contains { $0.isEmpty || $0 == "null" } }
        default: decide { values.contains(member?.text ?? "") }
        }
    }

    private func decide(_ isEqual: () -> Bool) -> Bool { comparison == .notEqual ? !isEqual() : isEqual() }

    private func compare(_ number: Int64) -> Bool {
        let bounds = values.compactMap { Int64($0) }
        return switch comparison {
        case .less: bounds.contains { number < $0 }
        case .lessOrEqual: bounds.contains { number <= $0 }
        case .greater: bounds.contains { number > $0 }
        case .greaterOrEqual: bounds.contains { number >= $0 }
        default: decide { bounds.contains(number) }
        }
    }

    private func compare(_ text: String) -> Bool {
        func any(_ test: (String) -> Bool) -> Bool { values.contains(where: test) }
        return switch comparison {
        case .equal: any { text == $0 }
        case .notEqual: !any { text == $0 }
        case .less: any { text < $0 }
        case .lessOrEqual: any { text <= $0 }
        case .greater: any { text > $0 }
        case .greaterOrEqual: any { text >= $0 }
        case .contains: any { text.contains($0) }
        case .startsWith: any { text.hasPrefix($0) }
        case .endsWith: any { text.hasSuffix($0) }
        case .containsFolded: any { text.lowercased().contains($0.lowercased()) }
        case .startsWithFolded: any { text.lowercased().hasPrefix($0.lowercased()) }
        case .endsWithFolded: any { text.lowercased().hasSuffix($0.lowercased()) }
        }
    }
}

extension ListQuery {
    /// Cuts the page out of a list in memory, which is in its order.
    /// - Returns: The page, and whether more follows.
    /// - Throws: ``UnknownMarker``
    public func page<Item>(
        of items: [Item], by identity: (Item) -> String
    ) throws(UnknownMarker) -> (items: ArraySlice<Item>, goesOn: Bool) {
        var rest = items[...]
        if let marker {
            guard let place = items.firstIndex(where: { identity($0) == marker }) else {
                throw UnknownMarker(marker: marker)
            }
            rest = items[(place + 1)...]
        }
        guard let limit, rest.count > limit else { return (rest, false) }
        return (rest.prefix(limit), true)
    }
}
