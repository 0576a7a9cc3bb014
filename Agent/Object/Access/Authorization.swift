import ProtocolModel

/// What may be done with an account, a container or an object.
package enum AccessKind: Hashable, Sendable {
    case read, write
}

/// Who asks, and what they are to an account. Pure.
package struct Authorization: Hashable, Sendable {
    package enum Standing: Hashable, Sendable {
        /// For all accounts, with quotas and removal.
        case reseller
        /// For the account.
        case owner
        /// Looks at all that is in the account.
        case reader
        /// Only where a list says so.
        case stranger
    }

    package static let prefix = "AUTH_"
    /// Swift's `operator_roles`, and what they are called here.
    private static let operators: Set<String> = ["admin", "manager", "member", "swiftoperator"]
    private static let resellers: Set<String> = ["reselleradmin"]
    private static let readers: Set<String> = ["reader"]

    package let who: TokenVerdict?
    package let standing: Standing

    package init(_ who: TokenVerdict?, account: String) {
        self.who = who
        guard let who else {
            standing = .stranger
            return
        }
        let roles = Set(who.roles.map { $0.lowercased() })
        let isTheirs = who.project.map { account == Self.prefix + $0.compact } ?? false
        if !roles.isDisjoint(with: Self.resellers) {
            standing = .reseller
        } else if isTheirs, !roles.isDisjoint(with: Self.operators) {
            standing = .owner
        } else if isTheirs, !roles.isDisjoint(with: Self.readers) {
            standing = .reader
        } else {
            standing = .stranger
        }
    }

    /// Sees and sets what only owners do: lists, keys.
    package var isOwner: Bool { standing == .owner || standing == .reseller }

    /// - Parameters:
    ///   - list: The container's for this kind of access; `nil` where lists say nothing (accounts, changes of containers).
    ///   - isListing: It is the container itself that is read.
    package func allows(_ kind: AccessKind, list: String?, referrer: String?, isListing: Bool = false) -> Bool {
        switch standing {
        case .reseller, .owner: return true
        case .reader where kind == .read: return true
        case .reader, .stranger: break
        }
        guard let list else { return false }
        let access = AccessList(list)
        if kind == .read, access.allows(referrer: referrer), !isListing || access.showsListings { return true }
        return who.map { access.names($0) } ?? false
    }

    /// What those are told who may not: to log in, or that it is no use.
    package func refusal(account: String) -> SwiftRefusal {
        who == nil
            ? SwiftRefusal(401, headers: ["Www-Authenticate": "Swift realm=\"\(account)\", Keystone uri=\"\""])
            : SwiftRefusal(403)
    }
}
