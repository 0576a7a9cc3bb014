/// How one service's list calls are read and answered: a value, so that all services are read by the same code.
public struct ListDialect: Sendable {
    /// What can be wrong with a list's query.
    public enum Fault: Sendable, Equatable {
        /// The limit is no number, or negative.
        case limit(String)
        /// Filters that there are not, in the order in which they came.
        case unknownFilters([String])
        /// A flag that is neither of the service's words.
        case flag(name: String, value: String)
        case unknownSortKeys([String])
        case sortDirections([String])
        /// There are not as many directions as keys.
        case sortCount
        case unknownMarker(String)
        case tooMany(what: String, most: Int)
    }

    /// Which direction goes with a sort key that came without its own.
    public enum Directions: Sendable, Hashable {
        /// None for all of them, or one for each.
        case matched(isAscending: Bool)
        /// None, one for all of them, or one for each.
        case oneOrEach(isAscending: Bool)
        /// The last one, or this where there is none.
        case lastRepeats(isAscending: Bool)
    }

    /// A page's length where none is asked; `nil` for everything.
    public var limitDefault: Int?
    public var limitMaximum: Int
    /// What `limit=0` asks for.
    public var zeroMeansAll: Bool
    public var directions: Directions
    /// The sort key where none is asked; `nil` for the order of insertion.
    public var sortDefault: String?
    /// What every order ends in, so that it is total: in the one direction that was given, else in the default one.
    public var sortEnding: [String]
    /// Parameters that are no filters.
    public var control: Set<String>
    /// Whether a filter that comes again is one more condition; else it adds an alternative.
    public var repeatsNarrow: Bool
    /// Reads the words for true and false.
    public var flag: @Sendable (String) -> Bool?
    /// Makes of a parameter's name the attribute and how it is compared: `name__contains`.
    public var comparison: @Sendable (_ parameter: String, _ value: String) -> ListQuery.Filter
    /// The refusal in the service's words; `nil` passes over what is wrong.
    public var refusal: @Sendable (Fault) -> APIError?
    /// What stands beside the items of a page.
    public var links: @Sendable (ListPage, APICall) -> [String: JSON]

    /// Filters, and sort keys, of one call: each costs a condition on every row.
    public static let mostFilters = 64
    public static let mostSorts = 16

    public init(
        limitDefault: Int? = nil, limitMaximum: Int = 1000, zeroMeansAll: Bool = false,
        directions: Directions = .matched(isAscending: true), sortDefault: String? = nil, sortEnding: [String] = [],
        control: Set<String> = ["limit", "marker", "sort_key", "sort_dir", "page_reverse", "fields"],
        repeatsNarrow: Bool = false, flag: @escaping @Sendable (String) -> Bool? = { BooleanWords.strict($0) },
        comparison: @escaping @Sendable (_ parameter: String, _ value: String) -> ListQuery.Filter = {
            ListQuery.Filter($0, .equal, [$1])
        },
        refusal: @escaping @Sendable (Fault) -> APIError?,
        links: @escaping @Sendable (ListPage, APICall) -> [String: JSON]
    ) {
        self.limitDefault = limitDefault
        self.limitMaximum = limitMaximum
        self.zeroMeansAll = zeroMeansAll
        self.directions = directions
        self.sortDefault = sortDefault
        self.sortEnding = sortEnding
        self.control = control
        self.repeatsNarrow = repeatsNarrow
        self.flag = flag
        self.comparison = comparison
        self.refusal = refusal
        self.links = links
    }
}

/// What a list call gives, and whether there may be more on either side.
public struct ListPage: Sendable {
    /// The API's name of the list: `networks`.
    public var collection: String
    public var first: String?
    public var last: String?
    public var count: Int
    public var query: ListQuery
    /// Whether more follows, where that is known.
    public var goesOn: Bool?

    public init(collection: String, identities: [String], query: ListQuery, goesOn: Bool? = nil) {
        self.collection = collection
        first = identities.first
        last = identities.last
        count = identities.count
        self.query = query
        self.goesOn = goesOn
    }

    /// As many as were asked for: there may be more.
    public var isFull: Bool { query.limit.map { count >= $0 && $0 > 0 } ?? false }
}

/// The words for true and false.
public enum BooleanWords {
    /// `true`, `false`, `1`, `0` in any case.
    public static func strict(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1": true
        case "false", "0": false
        default: nil
        }
    }

    /// All that oslo.utils' `bool_from_string` knows.
    public static func loose(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "on", "yes", "t", "y": true
        case "false", "0", "off", "no", "f", "n": false
        default: nil
        }
    }
}
