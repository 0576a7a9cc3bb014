import ProtocolModel

/// A port of a floating IP that leads to one of a port in a tenant network, as it is stored.
struct PortForwardingRecord: Sendable, Hashable {
    var id: PortForwardingID
    var floatingIP: FloatingIPID
    var description = ""
    /// `tcp`, `udp`, ...
    var protocolName: String
    var externalPort: Int
    var port: PortID
    var address: IPAddress
    var internalPort: Int
}
