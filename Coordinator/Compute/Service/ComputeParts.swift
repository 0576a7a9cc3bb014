import CoordinatorBlockStorage
import CoordinatorConsole
import CoordinatorFleet
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// What the compute services are made of: the other slices' contracts, settings, and the slice's own tables.
struct ComputeParts: Sendable {
    let settings: ComputeSettings
    let network: any NetworkForCompute
    let image: any ImageForCompute
    let placement: any Placement
    let volumes: any VolumesForCompute
    let plans: any PlanWriter
    let operations: any OperationDispatcher
    let directory: any NodeDirectory
    /// `nil`: consoles are not served.
    let consoles: ConsoleTokens?

    let servers = ServerStore()
    let actions = ActionStore()
    let log = HostedLog()
    let flavors = FlavorStore()
    let keypairs = KeypairStore()
    let devices = DeviceStore()
    let groups = ServerGroupStore()
    let aggregates = AggregateStore()
    let migrations = ServerMigrationStore()

    var quotas: ComputeQuotas { ComputeQuotas(settings: settings, servers: servers, groups: groups) }
    var workflow: HostedWorkflow<ServerHosting> { HostedWorkflow(ServerHosting(parts: self), plans: plans) }
}

/// Who asks, when and under which request, for whatever is recorded of it.
struct Origin: Sendable {
    var permissions: Permissions
    var project: ProjectID
    var requestID: String
    var now: Int64

    var caller: Caller { permissions.caller }

    /// For the record of what was done with the server.
    func action(on server: ServerRecord) -> HostedOrigin {
        HostedOrigin(requestID: requestID, user: caller.user, project: caller.project ?? server.project)
    }
}
