/// What changed, by topic and key, under numbers that only rise: what caches in memory follow, so that another
/// coordinator may write. A key has one line, with the number of its latest change, so the feed never holds more lines
/// than there are keys.
///
/// Numbers of a topic become visible in their order also where several transactions write at once: the topic's own row,
/// which an append changes, is locked until the end of the transaction. A number that was undone is given again, but
/// never with the same mark; a ``Place`` has both and names one history.
public enum ChangeFeed {
    /// How far a reader has come.
    public struct Place: Sendable, Hashable {
        public var number: Int64
        /// Random, of the append that gave the number.
        public var mark: Int64

        public init(number: Int64, mark: Int64) {
            self.number = number
            self.mark = mark
        }

        /// Before the first change.
        public static let start = Place(number: 0, mark: 0)
    }

    public struct Change: Sendable, Hashable {
        public var key: String
        public var place: Place

        public init(key: String, place: Place) {
            self.key = key
            self.place = place
        }
    }

    /// What happened after a place.
    public enum News: Sendable, Hashable {
        /// The latest change of each key that changed, oldest first.
        case changes([Change])
        /// Changes after that place were pruned: everything is to be read anew.
        case forgotten
    }

    static let migrations = [
        Migration(
            slice: "feed", number: 1, name: "changes by topic",
            sql: """
                CREATE TABLE feed_topics (
                    topic TEXT PRIMARY KEY,
                    newest BIGINT NOT NULL,
                    mark BIGINT NOT NULL,
                    pruned BIGINT NOT NULL
                );
                CREATE TABLE feed_changes (
                    topic TEXT NOT NULL,
                    item TEXT NOT NULL,
                    number BIGINT NOT NULL,
                    mark BIGINT NOT NULL,
                    changed_at BIGINT NOT NULL,
                    PRIMARY KEY (topic, item)
                );
                CREATE INDEX feed_changes_by_number ON feed_changes (topic, number);
                CREATE INDEX feed_changes_by_time ON feed_changes (changed_at);
                """)
    ]

    /// Says that what the key names was made, changed or removed, in the transaction that does it.
    /// - Parameter now: Microseconds since 1970, for ``prune(before:limit:in:)``.
    public static func append(topic: String, key: String, at now: Int64, in transaction: any SQLTransaction) throws {
        let mark = Int64.random(in: 1...Int64.max)
        let number = try transaction.first(
            """
            INSERT INTO feed_topics (topic, newest, mark, pruned) VALUES (?, 1, ?, 0)
            ON CONFLICT (topic) DO UPDATE SET newest = feed_topics.newest + 1, mark = excluded.mark
            RETURNING newest
            """, [topic, mark]
        ) { $0.integer(0) }
        guard let number else { throw StoreError.stale("feed topic \(topic)") }
        try transaction.execute(
            """
            INSERT INTO feed_changes (topic, item, number, mark, changed_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (topic, item) DO UPDATE SET
                number = excluded.number, mark = excluded.mark, changed_at = excluded.changed_at
            """, [topic, key, number, mark, now])
    }

    /// Keeps others who append to the topic or claim it waiting until this transaction ends. Whoever claims it before it
    /// decides by a copy, brought up to the number returned, decides by what will be true when it is written.
    /// - Returns: The number of the newest change.
    public static func claim(topic: String, in transaction: any SQLTransaction) throws -> Int64 {
        try transaction.query(
            """
            INSERT INTO feed_topics (topic, newest, mark, pruned) VALUES (?, 0, 0, 0)
            ON CONFLICT (topic) DO UPDATE SET newest = feed_topics.newest RETURNING newest
            """, [topic]
        ) { $0.integer(0) }.first ?? 0
    }

    /// The place of the topic's newest change.
    public static func newest(topic: String, in reader: any SQLReader) throws -> Place {
        try newest(topics: [topic], in: reader).first ?? .start
    }

    /// The places of the newest changes, in the order of the topics: one look at a row each.
    static func newest(topics: [String], in reader: any SQLReader) throws -> [Place] {
        let marks = Array(repeating: "?", count: topics.count).joined(separator: ", ")
        var places: [String: Place] = [:]
        _ = try reader.query("SELECT topic, newest, mark FROM feed_topics WHERE topic IN (\(marks))", topics) {
            places[$0.text(0)] = Place(number: $0.integer(1), mark: $0.integer(2))
        }
        return topics.map { places[$0] ?? .start }
    }

    /// Whether that very change is the latest of its key: then everything before it is what it was.
    static func has(_ place: Place, topic: String, in reader: any SQLReader) throws -> Bool {
        try reader.count(
            "SELECT COUNT(*) FROM feed_changes WHERE topic = ? AND number = ? AND mark = ?",
            [topic, place.number, place.mark]) > 0
    }

    /// - Parameter limit: At most so many changes; whoever gets so many asks again after the last one.
    public static func changes(
        after number: Int64, topic: String, limit: Int, in reader: any SQLReader
    ) throws -> News {
        let pruned = try reader.first("SELECT pruned FROM feed_topics WHERE topic = ?", [topic]) { $0.integer(0) }
        guard number >= pruned ?? 0 else { return .forgotten }
        return .changes(
            try reader.query(
                "SELECT item, number, mark FROM feed_changes WHERE topic = ? AND number > ? ORDER BY number LIMIT ?",
                [topic, number, limit]
            ) { Change(key: $0.text(0), place: Place(number: $0.integer(1), mark: $0.integer(2))) })
    }

    /// Forgets changes that are older; whoever has not followed for so long begins anew.
    /// - Parameter limit: At most so many at once, so that no other write waits for long.
    /// - Returns: How many were forgotten.
    @discardableResult
    public static func prune(before time: Int64, limit: Int, in transaction: any SQLTransaction) throws -> Int {
        let old = try transaction.query(
            "SELECT topic, item, number FROM feed_changes WHERE changed_at < ? ORDER BY changed_at LIMIT ?",
            [time, limit]
        ) { (topic: $0.text(0), item: $0.text(1), number: $0.integer(2)) }
        for (topic, lines) in Dictionary(grouping: old, by: \.topic) {
            try transaction.execute(
                "UPDATE feed_topics SET pruned = ? WHERE topic = ? AND pruned < ?",
                [lines.map(\.number).max(), topic, lines.map(\.number).max()])
        }
        for line in old {
            try transaction.execute(
                "DELETE FROM feed_changes WHERE topic = ? AND item = ?", [line.topic, line.item])
        }
        return old.count
    }

    /// How long a change is kept for those who follow, microseconds. Longer than a coordinator stands still.
    private static let kept: Int64 = 7 * 86_400 * 1_000_000

    /// Prunes what is older than a week, a little at a time.
    public static func sweep(_ database: any SQLDatabase, at now: Int64) async throws {
        var count = 0
        repeat {
            count = try await database.write { try prune(before: now - kept, limit: 500, in: $0) }
        } while count > 0
    }
}
