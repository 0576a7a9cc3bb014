/// What has passed on a clock since the stopwatch was made; never goes back.
public struct Stopwatch: Sendable {
    private let reading: @Sendable () -> Duration

    public init(_ clock: some Clock<Duration>) {
        let start = clock.now
        reading = { start.duration(to: clock.now) }
    }

    public var elapsed: Duration { reading() }
}

extension Duration {
    /// Rounded down.
    public var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
