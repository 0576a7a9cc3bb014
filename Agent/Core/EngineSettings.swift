/// The limits a ``ReconcileEngine`` keeps to.
public struct EngineSettings: Sendable {
    /// Servers that are worked on at once.
    public var serversAtOnce: Int
    public var imageFetchesAtOnce: Int
    /// Operations that run or wait at once; more are refused.
    public var operationsAtOnce: Int
    /// Between two looks at everything that nothing else caused.
    public var serverPeriod: Duration
    public var networkPeriod: Duration
    /// For a guest to go down by itself before the plug is pulled.
    public var shutdownGrace: Duration
    /// For a guest to let go of a device before it is asked again, and how often it is asked.
    public var detachGrace: Duration
    public var detachAttempts: Int
    /// For the network of a guest that has not run yet to be ready for its reboot.
    public var networkGrace: Duration
    /// How often a guest is looked at that shall go down during a reboot, or whose network is awaited.
    public var shutdownPoll: Duration
    /// For how long a session must have outlived the report that something is gone before the agent forgets it too:
    /// statuses have no receipts, and a report that was lost with its session must be made again.
    public var forgetDelay: Duration
    public var sweepPeriod: Duration
    /// For how long what the plan does not name is kept: see ``SetAside``.
    public var keepSeconds: Int64
    /// For how long a session must have gone on, and not named it, before anything that was kept goes: a clock that is
    /// wrong at start must not end it.
    public var keepCaution: Duration
    /// Between two messages with statuses, at least.
    public var sendInterval: Duration
    /// How long something must be under way for that to be told.
    public var transientDelay: Duration

    public init(
        serversAtOnce: Int = 8, imageFetchesAtOnce: Int = 2, operationsAtOnce: Int = 128,
        serverPeriod: Duration = .seconds(30), networkPeriod: Duration = .seconds(60),
        shutdownGrace: Duration = .seconds(60), detachGrace: Duration = .seconds(20),
        detachAttempts: Int = 6, networkGrace: Duration = .seconds(30),
        shutdownPoll: Duration = .milliseconds(500),
        forgetDelay: Duration = .seconds(20), sweepPeriod: Duration = .seconds(600),
        keepSeconds: Int64 = 7 * 86_400, keepCaution: Duration = .seconds(3_600),
        sendInterval: Duration = .milliseconds(5), transientDelay: Duration = .milliseconds(100)
    ) {
        self.serversAtOnce = serversAtOnce
        self.imageFetchesAtOnce = imageFetchesAtOnce
        self.operationsAtOnce = operationsAtOnce
        self.serverPeriod = serverPeriod
        self.networkPeriod = networkPeriod
        self.shutdownGrace = shutdownGrace
        self.detachGrace = detachGrace
        self.detachAttempts = detachAttempts
        self.networkGrace = networkGrace
        self.shutdownPoll = shutdownPoll
        self.forgetDelay = forgetDelay
        self.sweepPeriod = sweepPeriod
        self.keepSeconds = keepSeconds
        self.keepCaution = keepCaution
        self.sendInterval = sendInterval
        self.transientDelay = transientDelay
    }
}
