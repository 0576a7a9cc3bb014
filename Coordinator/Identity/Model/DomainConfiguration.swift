import CoordinatorPlatform

/// The options that a domain sets for itself, by group: where its users come from. Kept and given back; nothing acts on
/// them until directories are supported. Pure.
public struct DomainConfiguration: Sendable, Hashable {
    public enum Value: Sendable, Hashable {
        case open(JSON)
        /// A sensitive one as ``CredentialSealer`` has sealed it.
        case sealed([UInt8])
    }

    /// Group to option to value.
    public private(set) var groups: [String: [String: Value]] = [:]

    public init(_ groups: [String: [String: JSON]] = [:]) {
        self.groups = groups.mapValues { $0.mapValues { .open($0) } }
    }

    init(values: [String: [String: Value]]) { groups = values }

    public enum Refusal: Error, Equatable {
        case notSupported(String)
        case notFound(String)
    }

    public static let options: [String: Set<String>] = [
        "identity": ["driver", "list_limit"],
        "ldap": Set((defaults["ldap"] ?? [:]).keys).union(sensitive["ldap"] ?? [])
    ]

    /// Taken, never shown again.
    public static let sensitive: [String: Set<String>] = ["ldap": ["password"]]

    public static func isSensitive(_ group: String, _ option: String) -> Bool {
        sensitive[group]?.contains(option) == true
    }

    /// Whether a sensitive value stands in it that anybody could read.
    public var hasOpenSecrets: Bool {
        groups.contains { group, options in options.contains { Self.isOpenSecret(group, $0.key, $0.value) } }
    }

    private static func isOpenSecret(_ group: String, _ option: String, _ value: Value) -> Bool {
        if case .open = value { isSensitive(group, option) } else { false }
    }

    /// The same with all sensitive values sealed.
    /// - Parameter seal: Is given group, option and value.
    public func sealed(
        _ seal: (_ group: String, _ option: String, _ value: JSON) throws -> [UInt8]
    ) rethrows -> DomainConfiguration {
        var sealed = self
        for (group, options) in groups {
            for (option, value) in options where Self.isOpenSecret(group, option, value) {
                guard case .open(let plain) = value else { continue }
                sealed.groups[group]?[option] = .sealed(try seal(group, option, plain))
            }
        }
        return sealed
    }

    /// The same with other seals on sensitive values.
    /// - Parameter reseal: Is given group, option and sealed value; `nil` leaves it.
    public func resealed(
        _ reseal: (_ group: String, _ option: String, _ sealed: [UInt8]) throws -> [UInt8]?
    ) rethrows -> DomainConfiguration {
        var resealed = self
        for (group, options) in groups {
            for case (let option, .sealed(let bytes)) in options {
                if let other = try reseal(group, option, bytes) { resealed.groups[group]?[option] = .sealed(other) }
            }
        }
        return resealed
    }

    public static func check(group: String?, option: String?) throws(Refusal) {
        guard let group else { return }
        guard let known = options[group] else {
            throw .notSupported("Group \(group) is not supported for domain specific configurations")
        }
        if let option, !known.contains(option) {
            throw .notSupported(
                "Option \(option) in group \(group) is not supported for domain specific configurations")
        }
    }

    /// Reads and checks a configuration from a request.
    public static func read(_ members: [String: JSON]) throws(Refusal) -> DomainConfiguration {
        guard !members.isEmpty else { throw .notSupported("No options specified") }
        var groups: [String: [String: JSON]] = [:]
        for (group, value) in members {
            guard case .object(let options) = value, !options.isEmpty else {
                throw .notSupported(
                    "The value of group \(group) specified in the config should be a dictionary of options")
            }
            try check(group: group, option: nil)
            for option in options.keys { try check(group: group, option: option) }
            groups[group] = options
        }
        return DomainConfiguration(groups)
    }

    public var isEmpty: Bool { groups.values.allSatisfy(\.isEmpty) }

    /// What may be shown: a group, an option's value in an object, or everything.
    public func shown(group: String?, option: String?) throws(Refusal) -> [String: JSON] {
        var open: [String: JSON] = [:]
        for (name, options) in groups where group == nil || group == name {
            var visible: [String: JSON] = [:]
            for (key, value) in options where !Self.isSensitive(name, key) && (option == nil || option == key) {
                if case .open(let plain) = value { visible[key] = plain }
            }
            if !visible.isEmpty { open[name] = .object(visible) }
        }
        guard !open.isEmpty else { throw .notFound(Self.title(group, option)) }
        if let group, option != nil, case .object(let one)? = open[group] { return one }
        return open
    }

    public static func title(_ group: String?, _ option: String?) -> String {
        if let group, let option { return "option \(option) in group \(group)" }
        if let group { return "group \(group)" }
        return "any options"
    }

    /// Takes over what another one says. With a group, or an option in it, nothing else may be said, and it must be
    /// there already.
    public mutating func merge(_ change: DomainConfiguration, group: String?, option: String?) throws(Refusal) {
        if let group {
            guard change.groups.count == 1, option == nil || change.groups[group]?.count == 1 else {
                throw .notSupported(
                    option.map {
                        """
                        Trying to update option \($0) in group \(group), so that, and only that, option must be \
                        specified  in the config
                        """
                    }
                        ?? """
                        Trying to update group \(group), so that, and only that, group must be specified in the config
                        """
                )
            }
            guard let options = change.groups[group] else {
                throw .notSupported(
                    """
                    request to update group \(group), but config provided contains group \
                    \(change.groups.keys.first ?? "") instead
                    """)
            }
            if let option, options[option] == nil {
                throw .notSupported(
                    """
                    Trying to update option \(option) in group \(group), but config provided contains option \
                    \(options.keys.first ?? "") instead
                    """)
            }
            guard let own = groups[group], option.map({ own[$0] != nil }) ?? !own.isEmpty else {
                throw .notFound(Self.title(group, option))
            }
        }
        for (name, options) in change.groups { groups[name, default: [:]].merge(options) { $1 } }
    }

    public mutating func remove(group: String?, option: String?) throws(Refusal) {
        guard let group else {
            groups = [:]
            return
        }
        guard let own = groups[group], !own.isEmpty else { throw .notFound(Self.title(group, nil)) }
        guard let option else {
            groups[group] = nil
            return
        }
        guard own[option] != nil else { throw .notFound(Self.title(group, option)) }
        groups[group]?.removeValue(forKey: option)
    }

    /// What counts where a domain says nothing.
    public static func shownDefault(group: String?, option: String?) throws(Refusal) -> [String: JSON] {
        try check(group: group, option: option)
        if let group, let option, isSensitive(group, option) {
            throw .notSupported("Reading the default for option \(option) in group \(group) is not supported")
        }
        return try DomainConfiguration(defaults).shown(group: group, option: option)
    }
}
