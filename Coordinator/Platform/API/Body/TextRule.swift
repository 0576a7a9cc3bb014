import ProtocolModel

/// Which text is taken, and how it is refused.
public struct TextRule: Sendable {
    public let accepts: @Sendable (String) -> Bool
    public let reason: BodyFailure.Reason

    public init(_ reason: BodyFailure.Reason, accepts: @escaping @Sendable (String) -> Bool) {
        self.accepts = accepts
        self.reason = reason
    }

    /// A rule for text made of certain bytes.
    /// - Parameter others: What is taken beside letters and digits.
    public static func characters(_ others: String, pattern: String) -> Self {
        Self(.pattern(pattern)) { text in text.utf8.allSatisfy { $0.isWord(beside: others) } }
    }

    public static let uuid = Self(.format("uuid")) { AnyID($0) != nil }
    public static let ipv4 = Self(.format("ipv4")) { IPAddress($0)?.family == .ipv4 }
    public static let ipv6 = Self(.format("ipv6")) { IPAddress($0)?.family == .ipv6 }
    public static let address = Self(.noneFits) { IPAddress($0) != nil }
    /// No control characters, no separators but blanks.
    public static let printable = Self(.pattern("^[printable]*$")) { $0.isPrintable }

    public static func && (left: Self, right: Self) -> Self {
        Self(left.reason) { left.accepts($0) && right.accepts($0) }
    }
}

extension String {
    public var isPrintable: Bool {
        unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
    }

    /// Begins or ends with a blank of some kind.
    public var hasOuterSpace: Bool {
        let isSpace = { (scalar: Unicode.Scalar?) in scalar?.properties.generalCategory == .spaceSeparator }
        return isSpace(unicodeScalars.first) || isSpace(unicodeScalars.last)
    }
}

extension UInt8 {
    /// A letter or digit of ASCII, or one of some others.
    public func isWord(beside others: String = "") -> Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: others.utf8.contains(self)
        }
    }
}
