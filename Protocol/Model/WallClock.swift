/// The wall clock, as an argument.
public protocol WallClock: Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    func now() -> Int64
}
