/// What the server said of a statement that failed.
struct PostgreSQLError: Error, CustomStringConvertible {
    /// Five characters (PostgreSQL documentation, appendix A).
    var state: String
    var message: String
    var detail = ""
    var table = ""

    var description: String { "\(message) (SQLSTATE \(state))" + (detail.isEmpty ? "" : ": \(detail)") }

    /// The server cannot tell of which type an argument is, or has told wrong.
    var isAboutTypes: Bool { ["42P18", "42804", "42883", "42725", "42P08", "42846"].contains(state) }

    /// What callers can act on; everything else (a wrong statement) stays the server's own error. Pure.
    var translated: any Error {
        switch state {
        case "23505": return StoreError.duplicate(Self.columns(of: detail, in: table) ?? message)
        case "23503": return StoreError.stale("a row that this one refers to is gone, or is still referred to")
        case "40001", "40P01", "53200", "53300", "55P03", "57014": return StoreError.overloaded
        case "53100": return StoreError.unavailable("no space left for the database: free some and try again")
        case "25006": return StoreError.unavailable("the database cannot be written: \(message)")
        default: break
        }
        switch state.prefix(2) {
        case "08", "53", "57", "58", "28": return StoreError.unavailable(message)
        case "XX": return StoreError.corrupt(message)
        default: return self
        }
    }

    /// `things.name, things.size` of `Key (name, size)=(a, 1) already exists.`, as SQLite says it.
    static func columns(of detail: String, in table: String) -> String? {
        guard let open = detail.firstIndex(of: "("), let close = detail.firstRange(of: ")=(") else { return nil }
        return detail[detail.index(after: open)..<close.lowerBound].split(separator: ", ").map { "\(table).\($0)" }
            .joined(separator: ", ")
    }
}

/// The connection ended, or the server did not answer in time.
struct PostgreSQLConnectionLost: Error {
    var reason: String
}
