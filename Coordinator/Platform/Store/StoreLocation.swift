/// Where a cloud's database is: what `store.url` says.
public enum StoreLocation: Sendable, Equatable {
    /// `sqlite:///var/lib/skerry/skerry.db`: a file, with its absolute path.
    case file(String)
    /// `postgresql://user@host/database`: as libpq has it, with all of its parameters.
    case server(String)

    /// - Returns: `nil` for anything else.
    public init?(_ url: String) {
        if url.hasPrefix("sqlite:///"), url.utf8.count > 10 {
            self = .file(String(url.dropFirst(9)))
        } else if url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") {
            self = .server(url)
        } else {
            return nil
        }
    }

    /// Opens it for the one who works on it. A file is made where there is none.
    public func open() async throws -> any StoreEngine {
        switch self {
        case .file(let path): try EmbeddedDatabase(path: path)
        case .server(let url): try await PostgreSQLDatabase(url: url, alone: true)
        }
    }
}

extension StoreLocation: CustomStringConvertible {
    /// The URL without a password, whichever way it is given.
    public var description: String {
        switch self {
        case .file(let path): return "sqlite://\(path)"
        case .server(let url):
            let address = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)[0]
            guard let start = address.firstRange(of: "://")?.upperBound, let at = address[start...].firstIndex(of: "@"),
                let colon = address[start..<at].firstIndex(of: ":")
            else { return String(address) }
            return "\(address[..<colon])\(address[at...])"
        }
    }
}
