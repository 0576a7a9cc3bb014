import CoordinatorPlatform
import ProtocolModel

/// What the compute slice asks of the network slice, inside its own transaction.
public protocol NetworkForCompute: Sendable {
    /// Checks the request (networks visible to the project, ports free, security groups known, quota) and reserves: makes
    /// the ports that do not exist, with addresses, unbound. One result per interface, in order. Making one takes what
    /// making it by a call of its own takes: the same rules are asked.
    /// With no request at all: the project's only network, as `auto` does when there is exactly one.
    /// - Throws: ``Refusal`` of a `network`, `port`, `address` or `security_group`.
    func reservePorts(
        _ request: NetworkRequest, server: ServerID, hostname: String, permissions: Permissions, project: ProjectID,
        at now: Int64, in transaction: any SQLTransaction
    ) throws -> [ServerPort]
    /// One more interface for a server that is there: what ``reservePorts(_:server:hostname:permissions:project:at:in:)``
    /// does for each of a new one's. It is bound by the next call that binds the server's.
    /// - Parameter interface: Names neither network nor port for the project's only network.
    /// - Throws: ``Refusal`` of a `network`, `port`, `address` or `security_group`.
    func attachPort(
        _ interface: NetworkRequest.Interface, server: ServerID, hostname: String, permissions: Permissions,
        project: ProjectID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PortID
    /// Takes one of the server's ports off it, as ``releasePorts(of:at:in:)`` does with all; nothing happens where the
    /// port is none of the server's.
    func detachPort(_ port: PortID, of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws
    /// Puts the server's ports into a security group, or takes them out of it: those that have an address and are
    /// guarded.
    /// - Parameter name: Or the group's id.
    /// - Throws: ``Refusal`` of a `security_group`: not found, ambiguous, `invalid` where it cannot be applied, `conflict`
    ///   where none of the ports is in it.
    func setGroup(
        _ name: String, isMember: Bool, of server: ServerID, project: ProjectID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws
    /// Binds the server's ports to its host, which puts them, their networks and groups on the node's plan.
    func bindPorts(
        of server: ServerID, to node: NodeID, availabilityZone: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws
    /// Takes the ports off the node's plan; deletes those that were made for the server, unbinds the others.
    func releasePorts(of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws
    /// Takes the ports off their node's plan; they stay the server's.
    func unbindPorts(of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws
    /// All ports of these servers, in interface order, for `addresses` and server specs.
    func ports(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [ServerPort]]
    /// The names of the security groups on the server's ports, sorted.
    func securityGroupNames(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [String]]
    /// Physical networks that the networks of these ports need on a host.
    func physicalNetworks(of server: ServerID, in reader: any SQLReader) throws -> Set<String>
}

/// The `networks` part of a server create call.
public enum NetworkRequest: Sendable, Hashable {
    /// Microversion 2.37 `auto`, or nothing said before it.
    case automatic
    case none
    case interfaces([Interface], securityGroups: [String])

    /// Interfaces that one server can have.
    public static let mostInterfaces = 64

    public struct Interface: Sendable, Hashable {
        public var network: String?
        public var port: String?
        public var fixedIP: String?
        public var tag: String?

        public init(network: String?, port: String?, fixedIP: String?, tag: String?) {
            self.network = network
            self.port = port
            self.fixedIP = fixedIP
            self.tag = tag
        }
    }
}

/// A port as the compute API shows it.
public struct ServerPort: Sendable, Hashable {
    public var port: PortID
    public var network: NetworkID
    public var networkName: String
    public var mtuBytes: Int
    public var mac: MACAddress
    public var fixedIPs: [PortSpec.FixedIP]
    /// Addresses given from elsewhere (`OS-EXT-IPS:type` floating).
    public var floatingIPs: [IPAddress]
    /// ACTIVE, DOWN or BUILD as the network API has it.
    public var status: String

    public init(
        port: PortID, network: NetworkID, networkName: String, mtuBytes: Int, mac: MACAddress,
        fixedIPs: [PortSpec.FixedIP], floatingIPs: [IPAddress], status: String
    ) {
        self.port = port
        self.network = network
        self.networkName = networkName
        self.mtuBytes = mtuBytes
        self.mac = mac
        self.fixedIPs = fixedIPs
        self.floatingIPs = floatingIPs
        self.status = status
    }
}
