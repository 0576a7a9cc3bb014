import ProtocolModel

/// Why bytes from a peer (or from disk) are not what they should be, or a value cannot be put on the wire.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// A frame's length field is below the header's size or above the limit.
        case lengthOutOfRange
        /// The frame layout is of a version this release does not read.
        case unknownFrameVersion
        /// The connection ended inside a frame.
        case endedInsideFrame
        /// The body is not a protobuf message of its kind.
        case malformedBody
        /// A field is missing, out of range or of an unknown enumeration value.
        case invalidField
        /// A message does not fit one frame and cannot be divided.
        case bodyTooLarge
        /// A plan in several frames is larger than ``WireLimits/planBytes`` or mixes two updates.
        case badBatch
    }

    public let code: Code
    /// What exactly, with the field's name where there is one.
    public let detail: String

    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    static func invalid(_ field: String) -> Self { Self(.invalidField, field) }

    public var description: String { "\(code.rawValue): \(detail)" }
}

/// What a peer may make us hold.
public enum WireLimits {
    /// A frame's body. Room for the largest entry of a plan or 1 MiB of console output, and what surrounds it.
    public static let bodyBytes = PlanBudget.entryBytes + 65_536
    /// Where a divided message (plan, statuses) is cut, well below the limit.
    public static let divisionBytes = 524_288
    /// All frames of one plan update together.
    public static let planBytes = PlanBudget.planBytes
    /// Octets of a stream in one frame.
    public static let streamChunkBytes = 65_536
}
