import ProtocolModel

extension Identifier {
    /// Another one at each call, for tests that do not care which.
    public static func fresh() -> Self {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }
}
