import CoordinatorPlatform

/// What hosts have to do for a slice, and what the slice hears of them: all that the fleet knows of it.
public protocol FleetParts: Sendable {
    var providers: [any PlanSpecProvider] { get }
    var consumers: [any PlanStatusConsumer] { get }
    var observers: [any NodeObserver] { get }
    var operationConsumers: [any OperationConsumer] { get }
}

extension FleetParts {
    public var providers: [any PlanSpecProvider] { [] }
    public var consumers: [any PlanStatusConsumer] { [] }
    public var observers: [any NodeObserver] { [] }
    public var operationConsumers: [any OperationConsumer] { [] }
}

extension FleetParticipants {
    /// All slices that hosts do something for.
    public init(_ slices: [any FleetParts], images: any ImageBlobSource) {
        self.init(
            providers: slices.flatMap(\.providers), consumers: slices.flatMap(\.consumers),
            observers: slices.flatMap(\.observers), operationConsumers: slices.flatMap(\.operationConsumers),
            images: images)
    }
}
