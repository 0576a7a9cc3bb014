import Logging
import ProtocolModel
import ServiceLifecycle

/// One service of the cloud, put together: all that the daemon knows of it. What hosts have to do for it is told to the
/// fleet by `FleetParts`.
public protocol Slice: Sendable {
    /// The slice's schema, in its order.
    static var migrations: [Migration] { get }
    /// What is served, with its policy.
    var apis: [ServiceAPI] { get }
    /// What projects and users own here.
    var holdings: [any ProjectHoldings] { get }
    /// What the slice does by itself, for as long as the coordinator runs.
    var services: [any Service] { get }
}

/// What a slice works with when nobody asks.
public struct SliceRuntime: Sendable {
    public var database: any SQLDatabase
    public var clock: any WallClock
    public var logger: Logger

    public init(database: any SQLDatabase, clock: any WallClock, logger: Logger) {
        self.database = database
        self.clock = clock
        self.logger = logger
    }
}

extension Slice {
    public var holdings: [any ProjectHoldings] { [] }
    public var services: [any Service] { [] }
}
