import ProtocolModel

/// One link as it shall be.
public struct DesiredLink: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case bridge
        case vlan(parent: InterfaceName, tag: Int)
        /// What carries a network's frames between hosts; as a port of its bridge it learns nothing.
        case vxlan(VXLANSettings)
        case tap
        /// What comes from a tap waits here.
        case queue
        /// A veth whose peer stands in the network's service namespace.
        case service(NetworkID)
        /// Not ours: it is put into the bridge and set up, and otherwise left alone.
        case physical
    }

    public var name: InterfaceName
    public var kind: Kind
    /// `nil` for links that are not ours.
    public var mark: OwnershipMark?
    /// `nil` leaves the link's own.
    public var mtuBytes: Int?
    /// The bridge to be a port of.
    public var master: InterfaceName?
    public var isIsolated: Bool
    public var isUp: Bool
    /// Which resource fails when this link cannot be made.
    public var owner: ResourceKey

    public init(
        name: InterfaceName, kind: Kind, mark: OwnershipMark?, mtuBytes: Int?, master: InterfaceName? = nil,
        isIsolated: Bool = false, isUp: Bool = true, owner: ResourceKey
    ) {
        self.name = name
        self.kind = kind
        self.mark = mark
        self.mtuBytes = mtuBytes
        self.master = master
        self.isIsolated = isIsolated
        self.isUp = isUp
        self.owner = owner
    }
}
