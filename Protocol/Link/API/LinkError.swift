import ProtocolWire

/// Why a session could not begin or is over.
public struct LinkError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// Nobody answers at the address.
        case unreachable
        /// The peer's certificate is not from the authority we pinned, has ended or is meant for something else.
        case untrusted
        /// The handshake took longer than allowed.
        case timedOut
        /// The peer said or did what the protocol does not allow.
        case protocolViolation
        /// Nothing was heard from the peer for three keep-alive intervals.
        case peerSilent
        /// The session is over; ``LinkError/detail`` says who ended it and why.
        case closed
        /// One stream ended before its end.
        case streamFailed
        /// The certificate, key, token or request that we were given cannot be used.
        case badCredential
        /// Already as many streams or waiting senders as one connection may have.
        case tooManyAtOnce
    }

    public let code: Code
    /// What happened, to what, and what to do where there is something to do.
    public let detail: String

    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    public var description: String { "\(code.rawValue): \(detail)" }
}

/// A considered no of the coordinator; its message is meant for the operator at the other end.
public struct LinkRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    public typealias Code = WireRefusal.Code

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ refusal: WireRefusal) { self.init(refusal.code, refusal.message) }

    var wire: WireRefusal { WireRefusal(code: code, message: message) }

    public var description: String { "\(code.rawValue): \(message)" }
}
