import ProtocolModel

/// When something that failed is tried again, and when to give up. Time is an argument: what has passed since some
/// fixed moment.
public struct RetrySchedule: Sendable, Equatable {
    public struct Limits: Sendable, Equatable {
        public var attempts: Int
        /// From the first failure on.
        public var deadline: Duration
        public var firstDelay: Duration
        public var longestDelay: Duration

        public init(attempts: Int, deadline: Duration, firstDelay: Duration, longestDelay: Duration) {
            self.attempts = attempts
            self.deadline = deadline
            self.firstDelay = firstDelay
            self.longestDelay = longestDelay
        }

        /// For what somebody waits for: seven attempts within two minutes.
        public static let effort = Self(
            attempts: 7, deadline: .seconds(120), firstDelay: .seconds(1), longestDelay: .seconds(30))
        /// For an image: what went wrong may be the link, or the coordinator's disk.
        public static let image = Self(
            attempts: 4, deadline: .seconds(60), firstDelay: .seconds(1), longestDelay: .seconds(10))
        /// For what must happen some time: removal, and the host's network.
        public static let persistent = Self(
            attempts: .max, deadline: .seconds(Int64.max / 4), firstDelay: .seconds(1), longestDelay: .seconds(60))
    }

    public private(set) var failures = 0
    public private(set) var lastError: StatusError?
    private var firstFailure: Duration = .zero
    private var notBefore: Duration = .zero

    public init() {}

    public func isDue(now: Duration) -> Bool { now >= notBefore }

    /// - Parameter isFinal: Whether trying again would end the same way.
    /// - Returns: How long to wait, `nil` to give up.
    public mutating func failed(
        _ error: StatusError, isFinal: Bool, now: Duration, limits: Limits
    ) -> Duration? {
        if failures == 0 { firstFailure = now }
        failures += 1
        lastError = error
        guard !isFinal, failures < limits.attempts else { return nil }
        let delay = min(limits.longestDelay, limits.firstDelay * (1 << min(failures - 1, 16)))
        guard now + delay - firstFailure <= limits.deadline else { return nil }
        notBefore = now + delay
        return delay
    }
}

extension StatusError {
    /// Whether the same attempt would end the same way until the plan or the host's configuration changes.
    public var isPermanent: Bool {
        switch code {
        case .unsupported, .badImage, .noSpace: true
        case .hostFailure, .noMemory, .conflict, .timedOut: false
        }
    }
}
