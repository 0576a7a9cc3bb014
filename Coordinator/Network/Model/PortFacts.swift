import ProtocolModel

/// What is known of a port that can keep packets from it, and what does. Pure.
package struct PortFacts: Sendable {
    /// The host that has it.
    package struct Host: Sendable {
        package var name: String
        package var isUp: Bool
        package var physicalNetworks: [String]
        package var problems: [String]

        package init(name: String, isUp: Bool = true, physicalNetworks: [String] = [], problems: [String] = []) {
            self.name = name
            self.isUp = isUp
            self.physicalNetworks = physicalNetworks
            self.problems = problems
        }
    }

    package var hasServer = false
    package var isRouters = false
    package var isAdminUp = true
    package var isActive = false
    package var lastError: String?
    package var host: Host?
    /// What the network needs on a host.
    package var physicalNetwork: String?
    /// Of its addresses.
    package var families: Set<IPAddress.Family> = []
    /// Of subnets of its addresses without DHCP.
    package var silentSubnets: [String] = []
    package var isSecured = true
    package var groupCount = 0
    /// What rules of its groups let in and out.
    package var allowed: [SecurityGroupRuleSpec.Direction: Set<IPAddress.Family>] = [:]
    /// Whether a router leads out of its network.
    package var hasWayOut = false

    package init() {}

    /// Each says what it keeps away, and what to do about it where that is not plain.
    package var findings: [String] { placement + addressing + filtering }

    private var placement: [String] {
        guard !isRouters else { return lastError.map { ["The host could not make the router: \($0)"] } ?? [] }
        guard hasServer else { return ["No server has the port: it is on no host."] }
        guard let host else { return ["Its server is on no host: see 'skerry explain server'."] }
        var findings: [String] = []
        if !isAdminUp { findings.append("It is down by its admin_state_up: no frame passes.") }
        if !host.isUp { findings.append("Host \(host.name) is not up: what it last said may not hold any more.") }
        if let lastError { findings.append("Host \(host.name) could not make it: \(lastError)") }
        if isAdminUp, !isActive, lastError == nil {
            findings.append("Host \(host.name) has not said yet that it is there.")
        }
        if let physicalNetwork, !host.physicalNetworks.contains(physicalNetwork) {
            findings.append("Host \(host.name) is not connected to physical network '\(physicalNetwork)'.")
        }
        return findings + host.problems.map { "Host \(host.name): \($0)" }
    }

    private var addressing: [String] {
        guard !families.isEmpty else { return ["It has no address: DHCP gives its guest none."] }
        var findings = silentSubnets.map { "Subnet \($0) has no DHCP: the guest has to set its address itself." }
        if !hasWayOut, !isRouters {
            findings.append("No router with a gateway is on its network: nothing leads outside.")
        }
        return findings
    }

    private var filtering: [String] {
        guard isSecured, !isRouters else { return [] }
        guard groupCount > 0 else { return ["It has no security group: nothing passes but what gets it an address."] }
        return [SecurityGroupRuleSpec.Direction.ingress, .egress].flatMap { direction in
            families.sorted { $0.rawValue < $1.rawValue }.filter { allowed[direction]?.contains($0) != true }.map {
                "No rule of its security groups lets IPv\($0.rawValue) \(direction == .ingress ? "in" : "out")."
            }
        }
    }
}
