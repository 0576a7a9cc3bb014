import CoordinatorNetwork

/// What a create call asks for, checked for form only.
struct CreateServer: Sendable {
    var name: String
    var description: String?
    var imageID: String
    var flavorID: String
    var network: NetworkRequest
    var keyName: String?
    /// Base64 as it came.
    var userData: String?
    var metadata: [String: String] = [:]
    var hasConfigDrive = false
    var zone: String?
    /// `ZONE:HOST`, `host` or `hypervisor_hostname`: administrators only.
    var host: String?
    var minCount = 1
    var maxCount = 1
    var adminPassword: String
    var accessIPv4 = ""
    var accessIPv6 = ""
    var diskConfig = "MANUAL"
    var tags: [String] = []
    var hostname: String?
    /// A JSON object.
    var schedulerHints = "{}"
    var reservationID: String
}
