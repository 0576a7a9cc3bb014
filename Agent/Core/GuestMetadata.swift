import ProtocolModel

/// What one server is told about itself: the trees of the metadata service and the files of the config drive, in
/// OpenStack's form and in EC2's. Pure; the same server always gets the same answers.
///
/// Source: OpenStack's "Metadata" user guide and the EC2 instance metadata versions that Nova serves.
public struct GuestMetadata: Sendable {
    /// What stands at a path.
    public enum Answer: Equatable, Sendable {
        /// `text/plain; charset=UTF-8`: a value, or a listing with a name a line.
        case text(String)
        case bytes([UInt8], contentType: String)
        /// 404.
        case notFound
    }

    /// The domain that completes host names where the server's network has none, as Nova's `dhcp_domain` does.
    static let defaultDomain = "novalocal"
    /// Longer paths name nothing here.
    static let longestPath = 1024

    let server: ServerSpec
    let networks: [NetworkID: NetworkSpec]
    let ports: [PortID: PortSpec]
    let groupNames: [SecurityGroupID: String]
    let randomSeed: [UInt8]

    /// - Parameter randomSeed: Entropy for the guest, the same each time for one server; empty leaves it out.
    public init(
        server: ServerSpec, networks: [NetworkID: NetworkSpec], ports: [PortID: PortSpec],
        groupNames: [SecurityGroupID: String] = [:], randomSeed: [UInt8] = []
    ) {
        self.server = server
        self.networks = networks
        self.ports = ports
        self.groupNames = groupNames
        self.randomSeed = randomSeed
    }

    /// - Parameter path: The request's path without query, with or without `/` at its ends.
    public func answer(path: String) -> Answer {
        guard path.utf8.count <= Self.longestPath else { return .notFound }
        let tokens = Self.normalized(path)
        guard tokens.first == "openstack" else {
            return ec2Answer(tokens.first == "ec2" ? tokens.dropFirst() : tokens[...])
        }
        return openStackAnswer(tokens.dropFirst())
    }

    /// The files of the config drive, which carries the administrator's password too, unlike the service.
    public func configDrive() -> ConfigDriveContent {
        ConfigDriveContent(files: (openStackFiles() + ec2Files()).sorted { $0.path < $1.path })
    }

    /// The server's name as DNS would know it.
    var fullHostname: String {
        // A name the user gave with its domain is complete.
        if server.hostname.contains(".") { return server.hostname }
        let domain = server.interfaces.lazy.compactMap { networks[$0.network]?.dnsDomain }.first { !$0.isEmpty }
        return server.hostname + "." + (domain ?? Self.defaultDomain)
    }

    /// The server's ports in the order the guest sees its network cards.
    var boundPorts: [(interface: ServerSpec.Interface, port: PortSpec)] {
        server.interfaces.compactMap { interface in ports[interface.port].map { (interface, $0) } }
    }

    /// Splits a path, resolving `.`, `..` and doubled slashes as POSIX does for names.
    private static func normalized(_ path: String) -> [String] {
        var tokens: [String] = []
        for part in path.split(separator: "/") {
            switch part {
            case ".": continue
            case "..": _ = tokens.popLast()
            default: tokens.append(String(part))
            }
        }
        return tokens
    }
}
