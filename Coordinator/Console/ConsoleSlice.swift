import CoordinatorFleet
import CoordinatorPlatform
import ServiceLifecycle

/// Consoles: the tokens that the compute API gives out, and the way from a browser to a guest.
public struct ConsoleSlice: Slice {
    public static let migrations = ConsoleSchema.migrations

    /// For the compute API.
    public let tokens: ConsoleTokens
    /// For the agents' streams.
    public let desk: ConsoleDesk
    let settings: ConsoleSettings
    let runtime: SliceRuntime

    /// - Parameter locate: Where a server is.
    public init(
        settings: ConsoleSettings, operations: any OperationDispatcher, runtime: SliceRuntime,
        locate: @escaping ConsoleDesk.Locate
    ) {
        self.settings = settings
        self.runtime = runtime
        tokens = ConsoleTokens(settings: settings)
        desk = ConsoleDesk(operations: operations, database: runtime.database, locate: locate)
    }

    public var apis: [ServiceAPI] { [] }

    public var services: [any Service] {
        [
            PeriodicWork("console.sweep", every: .seconds(60), logger: runtime.logger) {
                try await tokens.sweep(runtime.database, at: runtime.clock.now())
            }
        ]
    }
}
