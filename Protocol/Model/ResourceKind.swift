/// What a plan can hold: a number on the wire and on disk, for ever, and a name for people.
///
/// Not an enumeration: a plan of a newer release may hold kinds that this one does not know, and keeps them.
public struct ResourceKind: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let securityGroup = Self(rawValue: 1)
    public static let network = Self(rawValue: 2)
    public static let port = Self(rawValue: 3)
    public static let server = Self(rawValue: 4)

    /// What is known of each kind. The order of the lines is the order of making; deletion goes the other way.
    private static let table: [(kind: Self, name: String)] = [
        (.securityGroup, "security-group"), (.network, "network"), (.port, "port"), (.server, "server")
    ]

    private static let places = Dictionary(
        uniqueKeysWithValues: table.enumerated().map { ($1.kind, (place: $0, name: $1.name)) })

    /// Those that this release knows, in the order of making.
    public static let allCases = table.map(\.kind)

    public var isKnown: Bool { Self.places[self] != nil }

    public var name: String { Self.places[self]?.name ?? "kind-\(rawValue)" }
}

extension ResourceKind: CustomStringConvertible {
    public var description: String { name }
}

extension ResourceKind: Comparable {
    /// In the order of making; what is not known comes last, by its number.
    public static func < (left: Self, right: Self) -> Bool { left.place < right.place }

    private var place: (Int, Int) { (Self.places[self]?.place ?? .max, rawValue) }
}
