import ProtocolModel

extension Identifier {
    /// A random identifier from the system's generator, for callers that need no replay.
    public static func random() -> Self {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }
}
