import AgentNetlink
import ProtocolModel

/// What the operator says of the host's network.
public struct HostNetworkConfiguration: Sendable {
    /// Which interface leads to which physical network.
    public var physicalNetworks: [String: InterfaceName]
    /// DHCP keeps its files in a folder `dhcp` below this one, a folder for each network. Absolute.
    public var stateDirectory: String
    /// The host's network namespace, a file below `/run/netns`; `nil` for the agent's own. Laboratories run several
    /// hosts in one process.
    public var hostNamespace: String?
    /// Who may open taps without privileges; `nil` for root alone.
    public var tapOwner: TapDevice.Owner?
    /// Where the frames of overlay networks come from and go to.
    public var tunnel: TunnelSource
    /// How long rules that nobody asked to change are taken to be as they were written before they are looked at again.
    public var verifyRulesEvery: Duration

    public init(
        physicalNetworks: [String: InterfaceName], stateDirectory: String, hostNamespace: String? = nil,
        tapOwner: TapDevice.Owner? = nil, tunnel: TunnelSource = .none, verifyRulesEvery: Duration = .seconds(60)
    ) {
        self.physicalNetworks = physicalNetworks
        self.stateDirectory = stateDirectory
        self.hostNamespace = hostNamespace
        self.tapOwner = tapOwner
        self.tunnel = tunnel
        self.verifyRulesEvery = verifyRulesEvery
    }
}
