import ProtocolModel

/// What of a router is on the host.
public struct RouterSighting: Hashable, Sendable {
    /// The end of a link that stands in a network's bridge.
    public struct Outside: Hashable, Sendable {
        public var port: PortID
        public var name: InterfaceName
        public var bridge: InterfaceName?
        public var mtuBytes: Int
        public var isUp: Bool
        public var isIsolated: Bool

        public init(
            port: PortID, name: InterfaceName, bridge: InterfaceName?, mtuBytes: Int, isUp: Bool,
            isIsolated: Bool = false
        ) {
            self.port = port
            self.name = name
            self.bridge = bridge
            self.mtuBytes = mtuBytes
            self.isUp = isUp
            self.isIsolated = isIsolated
        }
    }

    /// The end in the router's namespace.
    public struct Inside: Hashable, Sendable {
        public var mac: MACAddress?
        public var mtuBytes: Int
        public var isUp: Bool
        /// Without link-local ones, which the kernel makes.
        public var addresses: Set<ObservedAddress>

        public init(mac: MACAddress?, mtuBytes: Int, isUp: Bool, addresses: Set<ObservedAddress>) {
            self.mac = mac
            self.mtuBytes = mtuBytes
            self.isUp = isUp
            self.addresses = addresses
        }
    }

    /// What advertises the router.
    public struct Advertiser: Hashable, Sendable {
        public var configuration: String
        public var isRunning: Bool

        public init(configuration: String, isRunning: Bool) {
            self.configuration = configuration
            self.isRunning = isRunning
        }
    }

    /// The namespace is there with all its settings.
    public var isPrepared = false
    public var isForwarding = false
    public var outside: [Outside] = []
    public var inside: [InterfaceName: Inside] = [:]
    public var routes: Set<RouterRoute> = []
    public var rules: [FilterFamily: SavedRules] = [:]
    /// They could not be read.
    public var areRulesHidden = false
    /// No connection is left that other rules had let begin, as far as known.
    public var areConnectionsChecked = true
    public var advertiser: Advertiser?
    /// Addresses that their links were told of.
    public var announced: Set<RouterPlanner.Announced> = []

    /// The router's own folder, and whom its programs become.
    public var directory: String
    public var user: String

    public init(directory: String = "", user: String = "root") {
        self.directory = directory
        self.user = user
    }
}

/// A route of a router, by the name of the interface.
public struct RouterRoute: Hashable, Sendable {
    public var destination: IPPrefix
    public var nextHop: IPAddress
    public var interface: InterfaceName?
    public var isOnLink: Bool

    public init(destination: IPPrefix, nextHop: IPAddress, interface: InterfaceName?, isOnLink: Bool = false) {
        self.destination = destination
        self.nextHop = nextHop
        self.interface = interface
        self.isOnLink = isOnLink
    }
}
