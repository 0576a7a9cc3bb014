/// Prepared statements that nobody steps at the moment, by their text. Bounded by the memory they take, since some texts
/// are put together from what a caller asks for, and a statement takes some fifty times the memory of its text.
final class StatementCache {
    private struct Entry {
        let statement: SQLiteStatement
        /// When it was given back, counted in statements.
        let used: Int
    }

    private var entries: [String: Entry] = [:]
    /// Bytes that the entries take.
    private(set) var size = 0
    private var uses = 0
    private let limit: Int

    /// - Parameter limit: Bytes of memory.
    init(limit: Int) { self.limit = limit }

    /// While somebody has it, the same text is prepared once more for whoever asks.
    func take(_ sql: String) -> SQLiteStatement? {
        guard let entry = entries.removeValue(forKey: sql) else { return nil }
        size -= entry.statement.size
        return entry.statement
    }

    func give(_ statement: SQLiteStatement) {
        guard statement.size <= limit / 4 else { return }
        uses += 1
        let twin = entries.updateValue(Entry(statement: statement, used: uses), forKey: statement.sql)
        size += statement.size - (twin?.statement.size ?? 0)
        if size > limit { shrink() }
    }

    func has(_ sql: String) -> Bool { entries[sql] != nil }

    func removeAll() {
        entries.removeAll()
        size = 0
    }

    /// A quarter at once, so that the search for the least used is paid for by many statements.
    private func shrink() {
        for (sql, entry) in entries.sorted(by: { $0.value.used < $1.value.used }) {
            guard size > limit / 4 * 3 else { return }
            entries[sql] = nil
            size -= entry.statement.size
        }
    }
}
