/// A version such as 2.79 of one API.
public struct Microversion: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var major: Int
    public var minor: Int

    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads `MAJOR.MINOR`, decimal without leading zeros.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = Self.number(parts[0]), let minor = Self.number(parts[1]) else { return nil }
        self.init(major, minor)
    }

    private static func number(_ text: some StringProtocol) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
            text.utf8.count == 1 || text.utf8.first != 48
        else { return nil }
        return Int(text)
    }

    public static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }
    public var description: String { "\(major).\(minor)" }
}

/// How one service negotiates.
public struct MicroversionPolicy: Sendable {
    /// The service type in `OpenStack-API-Version: TYPE VERSION` (`compute`, `placement`, `volume`).
    public var service: String
    /// A service's older header (`X-OpenStack-Nova-API-Version`), if it has one.
    public var legacyHeader: String?
    public var minimum: Microversion
    public var maximum: Microversion

    public init(service: String, legacyHeader: String?, minimum: Microversion, maximum: Microversion) {
        self.service = service
        self.legacyHeader = legacyHeader
        self.minimum = minimum
        self.maximum = maximum
    }
}
