/// Why one slice refuses another what it asks for: a value to switch on, never text to match. The slice that asked puts
/// it into the words of its own API at that API's edge, and only there.
public struct Refusal: Error, Sendable, Hashable {
    public enum Code: String, Sendable, Hashable {
        /// There is none, or none that the caller may see.
        case notFound
        /// The caller may see it and not do this with it.
        case forbidden
        /// A value that can never be right.
        case invalid
        /// Right, but not in the state it is in.
        case conflict
        /// Somebody else has it.
        case inUse
        /// Several things are meant by the same word.
        case ambiguous
        /// A limit of the project would be exceeded.
        case overQuota
        /// There is nothing left to give.
        case exhausted
    }

    public var code: Code
    /// What was refused, in the owning slice's singular: `port`, `network`, `security_group`.
    public var kind: String
    /// As the caller named it.
    public var name: String
    /// What happened, to what and what to do, for services that have no words of their own for it.
    public var message: String

    public init(_ code: Code, _ kind: String, _ name: String = "", _ message: String = "") {
        self.code = code
        self.kind = kind
        self.name = name
        self.message = message
    }
}
