import CoordinatorFleet
import CoordinatorPlatform

/// The placement slice, put together for the daemon.
public struct PlacementSlice: Sendable {
    public static let migrations: [Migration] = PlacementSchema.migrations

    public let service: PlacementService
    public let observers: [any NodeObserver]
    public let api: ServiceAPI

    public init(directory: any NodeDirectory, ratios: AllocationRatios = AllocationRatios()) {
        service = PlacementService(directory: directory)
        observers = [NodeInventories(ratios: ratios)]
        api = PlacementAPI(service: service).api
    }
}
