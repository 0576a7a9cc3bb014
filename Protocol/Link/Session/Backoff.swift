/// How long to wait before dialling again: doubling, bounded, and spread so that a thousand agents do not return at once.
public struct Backoff: Hashable, Sendable {
    public let initial: Duration
    public let maximum: Duration
    private var ceiling: Duration

    public init(initial: Duration = .milliseconds(250), maximum: Duration = .seconds(15)) {
        self.initial = initial
        self.maximum = maximum
        ceiling = initial
    }

    /// Between half of the current step and all of it.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let delay = ceiling * Double.random(in: 0.5...1, using: &generator)
        ceiling = min(ceiling * 2, maximum)
        return delay
    }

    /// From the system's generator.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// After a session that held.
    public mutating func reset() { ceiling = initial }
}
