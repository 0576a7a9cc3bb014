import CoordinatorNetwork

/// What a create call asks for, checked for form only.
package struct CreateServer: Sendable {
    package var name: String
    package var description: String?
    /// Empty where none was named.
    package var imageID: String
    package var flavorID: String
    package var network: NetworkRequest
    package var keyName: String?
    /// Base64 as it came.
    package var userData: String?
    package var metadata: [String: String] = [:]
    package var hasConfigDrive = false
    package var zone: String?
    /// `ZONE:HOST`, `host` or `hypervisor_hostname`: administrators only.
    package var host: String?
    /// The host came as a part of the zone.
    package var forcesHost = false
    /// The host came by itself.
    package var requestsHost = false
    package var minCount = 1
    package var maxCount = 1
    package var adminPassword: String
    package var accessIPv4 = ""
    package var accessIPv6 = ""
    package var diskConfig = "MANUAL"
    package var tags: [String] = []
    package var hostname: String?
    /// A JSON object.
    package var schedulerHints = "{}"
    package var hints = SchedulerHints()
    package var reservationID: String
    /// All of the server's disks; none where the call named none, and its image makes the only one.
    package var disks: [ServerDisk] = []
}
