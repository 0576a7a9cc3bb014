import Synchronization

/// Rows kept in memory that are always those of the transaction that looks: they follow a ``ChangeFeed``.
///
/// Inside a transaction the value is brought up to the newest number first, which costs one look at one row while
/// nothing changed. What a transaction reads of changes that are not committed yet (its own, or of one that shares its
/// commit) is remembered with its place, and read anew when that place is in the history no longer: so undone savepoints,
/// transactions and commits leave nothing behind.
///
/// One lock, held while rows are read and while the caller's body runs; nothing is awaited under it.
public final class FeedCache<Value: Sendable>: Sendable {
    /// Reads the rows of these keys again into the value, the keys of each topic apart, or everything (`nil`). A key
    /// without a row is to go.
    public typealias Load =
        @Sendable (_ keys: [Set<String>]?, _ value: inout Value, _ reader: any SQLReader) throws -> Void

    private struct State: Sendable {
        var value: Value
        var cursors: [FeedCursor]
        var isLoaded = false
    }

    private let state: Mutex<State>
    private let load: Load

    public init(topics: [String], empty: Value, load: @escaping Load) {
        state = Mutex(State(value: empty, cursors: topics.map { FeedCursor(topic: $0) }))
        self.load = load
    }

    /// The value as the transaction sees it.
    /// - Parameter body: May read and change the value's own bookkeeping; must not write to the database.
    public func withCurrent<T>(in transaction: any SQLTransaction, _ body: (inout Value) throws -> T) throws -> T {
        try state.withLock { state in
            let isOpen = try bringUp(&state, transaction)
            if isOpen {
                let places = state.cursors.map(\.place)
                transaction.afterCommit { [self] in committed(places) }
            }
            return try body(&state.value)
        }
    }

    private func committed(_ places: [ChangeFeed.Place]) {
        state.withLock { state in
            for (index, place) in places.enumerated() { state.cursors[index].committed(place) }
        }
    }

    /// - Returns: Whether the value holds what is not known to be committed.
    private func bringUp(_ state: inout State, _ transaction: any SQLTransaction) throws -> Bool {
        var cursors = state.cursors
        let newest = try ChangeFeed.newest(topics: cursors.map(\.topic), in: transaction)
        var stale = [Set<String>](repeating: [], count: cursors.count)
        var isWhole = state.isLoaded
        for index in cursors.indices {
            if let keys = try cursors[index].advance(to: newest[index], in: transaction) {
                stale[index] = keys
            } else {
                isWhole = false
            }
        }
        if !isWhole || stale.contains(where: { !$0.isEmpty }) {
            // Should reading fail half-way, everything is read anew the next time.
            state.isLoaded = false
            try load(isWhole ? stale : nil, &state.value, transaction)
            state.isLoaded = true
        }
        state.cursors = cursors
        return cursors.contains(where: \.isOpen)
    }
}

/// How far one topic was followed. A value: what it decides depends on what it is told alone.
struct FeedCursor: Sendable, Equatable {
    let topic: String
    /// Everything up to here is applied.
    private(set) var place = ChangeFeed.Place.start
    /// Everything up to here is committed, unless ``isCertain`` says otherwise.
    private(set) var floor = ChangeFeed.Place.start
    /// `false` after everything was read within a transaction of which it is not known yet how it ended.
    private(set) var isCertain = true
    /// What was applied after ``floor``, by key.
    private(set) var open: [String: ChangeFeed.Place] = [:]

    /// Changes read at once; a topic with more after the floor is read anew as a whole.
    private static let most = 10_000

    init(topic: String) { self.topic = topic }

    /// Whether something was applied that may still be undone.
    var isOpen: Bool { !isCertain || place != floor }

    /// Moves to the newest place.
    /// - Returns: The keys to read again, or `nil` when everything is.
    mutating func advance(to newest: ChangeFeed.Place, in reader: any SQLReader) throws -> Set<String>? {
        guard newest != place else { return [] }
        guard
            case .changes(let found) = try ChangeFeed.changes(
                after: floor.number, topic: topic, limit: Self.most, in: reader), found.count < Self.most,
            try isInHistory(newest, in: reader)
        else {
            place = newest
            floor = newest
            isCertain = false
            open = [:]
            return nil
        }
        return follow(found, to: newest)
    }

    private func isInHistory(_ newest: ChangeFeed.Place, in reader: any SQLReader) throws -> Bool {
        if isCertain || newest == floor { return newest.number >= floor.number }
        return try ChangeFeed.has(floor, topic: topic, in: reader)
    }

    /// - Parameter found: All changes after the floor.
    mutating func follow(_ found: [ChangeFeed.Change], to newest: ChangeFeed.Place) -> Set<String> {
        let present = Dictionary(found.map { ($0.key, $0.place) }, uniquingKeysWith: { _, last in last })
        // News, and what was applied of a history that was undone.
        var stale = Set(present.filter { open[$0.key] != $0.value }.keys)
        stale.formUnion(open.keys.filter { present[$0] == nil })
        open = present
        place = newest
        return stale
    }

    mutating func committed(_ place: ChangeFeed.Place) {
        if place == floor { isCertain = true }
        guard place.number > floor.number else { return }
        floor = place
        isCertain = true
        open = open.filter { $0.value.number > place.number }
    }
}
