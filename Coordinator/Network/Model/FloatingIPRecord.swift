import ProtocolModel

/// A floating IP as it is stored.
struct FloatingIPRecord: Sendable, Hashable {
    enum Status: String, Sendable, Hashable {
        case active = "ACTIVE"
        case down = "DOWN"
        case error = "ERROR"
    }

    /// What is shown of the port that it stands for.
    struct PortDetails: Sendable, Hashable {
        var name: String
        var network: NetworkID
        var mac: MACAddress
        var isAdminUp: Bool
        var status: PortRecord.Status
        var deviceID: String
        var deviceOwner: String
    }

    var id: FloatingIPID
    var project: ProjectID
    /// Without a name.
    var standard: Standard
    /// The external network that the address is of, and the port that keeps it there.
    var network: NetworkID
    var keeper: PortID
    var address: IPAddress
    /// What it stands for; all of these or none.
    var port: PortID?
    var fixedAddress: IPAddress?
    /// Also with port forwardings alone.
    var router: RouterID?
    var status = Status.down
    var details: PortDetails?
    var forwardings: [PortForwardingRecord] = []
}
