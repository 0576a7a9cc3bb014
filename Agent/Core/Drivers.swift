/// What servers need of a host.
public struct ComputeDrivers: Sendable {
    public var hypervisor: any HypervisorDriver
    public var storage: any ServerStorage

    public init(hypervisor: any HypervisorDriver, storage: any ServerStorage) {
        self.hypervisor = hypervisor
        self.storage = storage
    }
}

/// What a host can do; `nil` where it lacks the role.
public struct HostDrivers: Sendable {
    public var compute: ComputeDrivers?
    public var network: (any NetworkDriver)?

    public init(compute: ComputeDrivers?, network: (any NetworkDriver)?) {
        self.compute = compute
        self.network = network
    }
}
