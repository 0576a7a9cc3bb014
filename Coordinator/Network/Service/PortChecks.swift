import CoordinatorPlatform
import ProtocolModel

/// What makes sense of a port by itself.
enum PortChecks {
    /// Neutron's `max_allowed_address_pair`.
    private static let pairLimit = 10

    static let securityRequired = APIError.badRequest(
        "Port security must be enabled and port must have an IP address in order to use security groups.",
        type: "PortSecurityAndIPRequiredForSecurityGroups")

    static func pairs(_ pairs: [PortRecord.Pair], of port: PortRecord) throws -> [PortRecord.Pair] {
        guard pairs.count <= pairLimit else {
            throw APIError.badRequest(
                "The number of allowed address pair exceeds the maximum \(pairLimit).",
                type: "AllowedAddressPairExhausted")
        }
        for (index, pair) in pairs.enumerated() where pairs[..<index].contains(pair) {
            throw APIError.badRequest(
                "Request contains duplicate address pair: mac_address \(pair.mac?.description ?? "None") ip_address "
                    + "\(pair.address).", type: "DuplicateAddressPairInRequest")
        }
        if !pairs.isEmpty, !port.isSecurityEnabled {
            throw APIError.conflict(
                "Port Security must be enabled in order to have allowed address pairs on a port.",
                type: "AddressPairAndPortSecurityRequired")
        }
        return pairs
    }
}
