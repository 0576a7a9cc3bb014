import ProtocolModel

/// A security group as it is stored, without its rules.
struct SecurityGroupRecord: Sendable, Hashable {
    var id: SecurityGroupID
    var project: ProjectID
    var standard: Standard
    var isDefault = false
}

/// A rule as it is stored.
struct RuleRecord: Sendable, Hashable {
    var id: SecurityGroupRuleID
    var group: SecurityGroupID
    var project: ProjectID
    var standard: Standard
    var direction: SecurityGroupRuleSpec.Direction
    var family: IPAddress.Family
    /// A name or a number in the words of the request, `nil` for any.
    var protocolText: String?
    var portMin: Int?
    var portMax: Int?
    var remoteGroup: SecurityGroupID?
    var remoteAddresses: AddressGroupID?
    /// ADDRESS/LENGTH in the words of the request, host bits included.
    var remotePrefix: String?
    var belongsToDefaultGroup = false

    var protocolNumber: Int? { protocolText.flatMap(IPProtocol.number) }
    var normalizedPrefix: IPPrefix? { remotePrefix.flatMap { IPPrefix($0) } }
    var ethertype: String { family == .ipv4 ? "IPv4" : "IPv6" }

    var spec: SecurityGroupRuleSpec {
        let remote: SecurityGroupRuleSpec.Remote =
            if let remoteGroup {
                .group(remoteGroup)
            } else if let remoteAddresses {
                .group(remoteAddresses.cast())
            } else if let normalizedPrefix {
                .prefix(normalizedPrefix)
            } else {
                .anywhere
            }
        return SecurityGroupRuleSpec(
            id: id, direction: direction, family: family, protocolNumber: protocolNumber, portRangeMin: portMin,
            portRangeMax: portMax, remote: remote)
    }

    /// Equal for rules that let the same through: any protocol name and number of the same protocol, and no prefix and
    /// the prefix of all addresses, are alike.
    var duplicateKey: String {
        let prefix = normalizedPrefix.flatMap { $0.length == 0 ? nil : remotePrefix } ?? "+"
        let numbers: [String?] = [protocolNumber.map { "\($0)" }, portMin.map { "\($0)" }, portMax.map { "\($0)" }]
        let parts = [direction.rawValue, ethertype] + numbers.map { $0 ?? "+" } + [remoteGroup?.text ?? "+", prefix]
        // As the keys of rules were before there were groups of addresses.
        return (parts + [remoteAddresses?.text].compactMap(\.self)).joined(separator: "_")
    }
}
