import ProtocolModel

/// Who else may read or write, as `X-Container-Read` and `X-Container-Write` say.
package struct AccessList: Hashable, Sendable {
    package var referrers: [String] = []
    package var showsListings = false
    package var names: [String] = []

    /// Reads a list that was cleaned.
    package init(_ text: String) {
        for item in text.split(separator: ",").map({ String($0).trimmed }) where !item.isEmpty {
            if item.hasPrefix(".r:") {
                referrers.append(String(item.dropFirst(3)))
            } else if item == ".rlistings" {
                showsListings = true
            } else {
                names.append(item)
            }
        }
    }

    package struct Malformed: Error { package let message: String }

    /// The list in the form that is kept.
    /// - Parameter header: Referrers may read and never write.
    package static func clean(_ header: String, _ text: String) throws -> String {
        var values: [String] = []
        for raw in text.split(separator: ",").map({ String($0).trimmed }) where !raw.isEmpty {
            guard let colon = raw.firstIndex(of: ":"), raw.hasPrefix(".") else {
                if raw.hasPrefix("."), raw != ".rlistings" {
                    throw Malformed(message: "Unknown designator \(raw) in ACL: \(raw)")
                }
                values.append(raw)
                continue
            }
            let first = String(raw[..<colon]).trimmed
            var second = String(raw[raw.index(after: colon)...]).trimmed
            guard [".r", ".ref", ".referer", ".referrer"].contains(first) else {
                throw Malformed(message: "Unknown designator \(first) in ACL: \(raw)")
            }
            guard !header.lowercased().hasSuffix("write") else {
                throw Malformed(message: "Referrers not allowed in write ACL: \(raw)")
            }
            var negation = ""
            if second.hasPrefix("-") {
                negation = "-"
                second = String(second.dropFirst()).trimmed
            }
            if second != "*", second.hasPrefix("*") { second = String(second.dropFirst()).trimmed }
            guard !second.isEmpty, second != "." else {
                throw Malformed(message: "No host/domain value after referrer designator in ACL: \(raw)")
            }
            values.append(".r:\(negation)\(second)")
        }
        return values.joined(separator: ",")
    }

    /// The last item that fits decides.
    package func allows(referrer: String?) -> Bool {
        let host = Self.host(of: referrer)
        var allowed = false
        for item in referrers {
            let isRefusal = item.hasPrefix("-")
            let pattern = isRefusal ? String(item.dropFirst()) : item
            let fits = pattern == host || (pattern.hasPrefix(".") && host.hasSuffix(pattern))
            if isRefusal { if fits { allowed = false } } else if fits || pattern == "*" { allowed = true }
        }
        return allowed
    }

    private static func host(of url: String?) -> String {
        guard let url, let mark = url.firstRange(of: "://") else { return "unknown" }
        let authority = url[mark.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = (authority.split(separator: "@").last ?? "").prefix { $0 != ":" }.lowercased()
        return host.isEmpty ? "unknown" : host
    }

    /// Whether somebody is named: by project and user (ids, or names where both are of the default domain, since names
    /// of other domains may be the same), by `*` for any of either, or by a role.
    package func names(_ who: TokenVerdict) -> Bool {
        let isDefault = who.userDomain == "default" && who.projectDomain == "default"
        var projects: [String] = []
        if let project = who.project { projects = [project.compact] + (isDefault ? [who.projectName] : []) }
        let users = [who.user.compact] + (isDefault ? [who.userName] : [])
        return names.contains { item in
            guard let colon = item.firstIndex(of: ":") else {
                return who.roles.contains { $0.lowercased() == item.lowercased() }
            }
            let (project, user) = (String(item[..<colon]), String(item[item.index(after: colon)...]))
            return (project == "*" || projects.contains { $0.isSameName(as: project) })
                && (user == "*" || users.contains { $0.isSameName(as: user) })
        }
    }
}
