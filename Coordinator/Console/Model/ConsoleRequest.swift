/// What a browser or a client asks the console port for. Pure.
package enum ConsoleRequest: Equatable, Sendable {
    /// A connection to a guest, with the token.
    case connect(token: String)
    /// A file of noVNC, by its path below the folder.
    case file(String)
    /// The page of the serial console.
    case serialPage
    case unknown

    private static let longestToken = 128

    /// - Parameters:
    ///   - uri: Path and query as they came.
    ///   - isUpgrade: Whether the connection is to become a WebSocket.
    package init(uri: String, isUpgrade: Bool) {
        let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.first.map(String.init) ?? ""
        let query = parts.count > 1 ? String(parts[1]) : ""
        if isUpgrade {
            guard path == "/" || path == "/websockify" || path == "", let token = Self.token(query) else {
                self = .unknown
                return
            }
            self = .connect(token: token)
        } else if path == "/serial.html" {
            self = .serialPage
        } else {
            self = Self.file(path == "/" ? "/vnc_lite.html" : path).map { .file($0) } ?? .unknown
        }
    }

    /// Digits and letters only: whatever else a token has, it is none of ours.
    private static func token(_ query: String) -> String? {
        for pair in query.split(separator: "&") where pair.hasPrefix("token=") {
            let token = pair.dropFirst(6)
            guard !token.isEmpty, token.utf8.count <= longestToken,
                token.utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) || $0 == 45 })
            else { return nil }
            return String(token)
        }
        return nil
    }

    /// - Returns: `nil` for a path that could lead out of the folder, or to what is hidden in it.
    private static func file(_ path: String) -> String? {
        let names = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard path.hasPrefix("/"), path.utf8.count <= 256, !names.isEmpty,
            names.allSatisfy({ name in
                !name.isEmpty && !name.hasPrefix(".") && name.utf8.allSatisfy(isPlain)
            })
        else { return nil }
        return names.joined(separator: "/")
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 95: true
        default: false
        }
    }

    /// - Returns: What a file of that name is, for browsers; `nil` for what is not served.
    package static func mediaType(of path: String) -> String? {
        switch path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "json": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "ttf": "font/ttf"
        case "woff": "font/woff"
        case "woff2": "font/woff2"
        case "mp3": "audio/mpeg"
        case "oga": "audio/ogg"
        default: nil
        }
    }
}

/// Whether a page may open consoles: a browser sends its user's cookies and network position along with whatever page
/// asks it to, and says which page that was. Pure.
package enum ConsoleOrigin {
    /// - Parameters:
    ///   - origin: As the browser says it; `nil` from a client that is none, which is no danger.
    ///   - host: The request's `Host`.
    ///   - allowed: Hosts of further pages.
    ///   - isTLS: Whether the port is served with TLS: then a page without it is refused.
    package static func isAllowed(_ origin: String?, host: String?, allowed: [String], isTLS: Bool) -> Bool {
        guard let origin else { return true }
        guard let mark = origin.firstRange(of: "://") else { return false }
        let scheme = origin[..<mark.lowerBound]
        guard scheme == "https" || (scheme == "http" && !isTLS) else { return false }
        guard let page = hostname(String(origin[mark.upperBound...])) else { return false }
        let own = host.flatMap(hostname)
        return page == own || allowed.contains { hostname($0) == page }
    }

    /// Without the port, in lower case.
    private static func hostname(_ authority: String) -> String? {
        guard !authority.isEmpty, !authority.contains(where: { "/?#@ ".contains($0) }) else { return nil }
        let lower = authority.lowercased()
        if lower.hasPrefix("[") {
            guard let end = lower.firstIndex(of: "]") else { return nil }
            return String(lower[...end])
        }
        // An IPv6 address that stands alone is one of the operator's list.
        guard lower.count(where: { $0 == ":" }) <= 1 else { return "[\(lower)]" }
        let name = lower.split(separator: ":", omittingEmptySubsequences: false)[0]
        return name.isEmpty ? nil : String(name)
    }
}
