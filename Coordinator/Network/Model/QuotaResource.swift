/// What is counted per project.
enum QuotaResource: String, Sendable, Hashable, CaseIterable {
    case network
    case subnet
    case port
    case securityGroup = "security_group"
    case securityGroupRule = "security_group_rule"

    /// Neutron's defaults.
    var defaultLimit: Int {
        switch self {
        case .network, .subnet, .securityGroupRule: 100
        case .port: 500
        case .securityGroup: 10
        }
    }
}
