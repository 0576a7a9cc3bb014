import CoordinatorPlatform
import Logging
import ServiceLifecycle

/// The identity service, put together.
public struct IdentitySlice: Slice {
    public static var migrations: [Migration] { IdentityMigrations.all }

    public let service: IdentityService
    public let apis: [ServiceAPI]
    public let services: [any Service]

    /// - Parameter holdings: What other slices keep for projects and users.
    public init(_ service: IdentityService, holdings: [any ProjectHoldings], logger: Logger) {
        var service = service
        service.holdings = holdings
        self.service = service
        apis = [IdentityAPI.make(service)]
        services = [
            PeriodicWork(
                "news of identity", every: IdentityService.followInterval, logger: logger, service.follow),
            PeriodicWork("renewal of token keys", every: .seconds(3600), logger: logger, service.renewTokenKeys)
        ]
    }
}
