import CoordinatorPlatform
import ProtocolModel

/// One of `extra_dhcp_opts`, as a call has it.
package struct DHCPOptionRequest: Sendable, Hashable {
    package var name: String
    /// `nil` takes the option away.
    package var value: String?
    package var family: IPAddress.Family

    package init(name: String, value: String?, family: IPAddress.Family = .ipv4) {
        self.name = name
        self.value = value
        self.family = family
    }
}

/// What becomes of a port's options.
enum DHCPOptionChange {
    /// What a port's host is told is bounded.
    static let most = 32

    /// Options that are not named stay, as in Neutron.
    static func apply(
        _ requests: [DHCPOptionRequest], to present: [PortSpec.DHCPOption]
    ) throws(APIError) -> [PortSpec.DHCPOption] {
        var options = present
        for request in requests {
            let index = options.firstIndex { $0.name == request.name && $0.family == request.family }
            guard let value = request.value else {
                if let index { options.remove(at: index) }
                continue
            }
            guard let form = DHCPOptionRules.form(request.name, request.family) else {
                throw refusal("'\(request.name)' is no option of DHCPv\(request.family.rawValue) that can be set")
            }
            guard DHCPOptionRules.isValid(value, form, request.family) else {
                throw refusal("'\(value)' is not a valid value of '\(request.name)'")
            }
            let option = PortSpec.DHCPOption(family: request.family, name: request.name, value: value)
            if let index { options[index] = option } else { options.append(option) }
        }
        guard options.count <= most else { throw refusal("there are more than \(most)") }
        return options
    }

    private static func refusal(_ reason: String) -> APIError {
        .http("Invalid input for extra_dhcp_opts. Reason: \(reason).")
    }
}
