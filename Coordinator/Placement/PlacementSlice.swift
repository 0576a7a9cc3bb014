import CoordinatorFleet
import CoordinatorPlatform

/// The placement slice, put together for the daemon.
public struct PlacementSlice: Slice, FleetParts {
    public static let migrations: [Migration] = PlacementSchema.migrations

    public let service: PlacementService
    public let observers: [any NodeObserver]
    public let api: ServiceAPI
    public var apis: [ServiceAPI] { [api] }

    public init(directory: any NodeDirectory, ratios: AllocationRatios = AllocationRatios()) {
        service = PlacementService(directory: directory)
        observers = [NodeInventories(ratios: ratios)]
        api = PlacementAPI(service: service).api
    }
}
