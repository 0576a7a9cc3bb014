import ProtocolModel

/// A device that may come to a guest and go from it while it runs.
public enum GuestDevice: Hashable, Sendable, Comparable {
    case interface(PortID)
    case volume(VolumeID)

    /// For messages.
    public var name: String {
        switch self {
        case .interface(let port): "the interface of port \(port)"
        case .volume(let volume): "volume \(volume)"
        }
    }
}

/// What the hypervisor shows of such devices in one domain: of the guest itself while it runs, else of the definition.
public struct GuestDevices: Hashable, Sendable {
    public var interfaces: Set<PortID>
    public var volumes: Set<VolumeID>
    /// Taps of interfaces that do not say which port they are: the guest was started by an earlier release.
    public var namelessTaps: Set<InterfaceName>
    /// ``ServerSpec/Rescue/version`` of the rescue disk among its disks.
    public var rescueVersion: Int?

    public init(
        interfaces: Set<PortID> = [], volumes: Set<VolumeID> = [], namelessTaps: Set<InterfaceName> = [],
        rescueVersion: Int? = nil
    ) {
        self.interfaces = interfaces
        self.volumes = volumes
        self.namelessTaps = namelessTaps
        self.rescueVersion = rescueVersion
    }

    /// All of them, sorted.
    public var all: [GuestDevice] {
        interfaces.sorted().map(GuestDevice.interface) + volumes.sorted().map(GuestDevice.volume)
    }

    /// The same, with the taps that are those of ports of the server named.
    func naming(_ ports: some Sequence<PortID>) -> Self {
        guard !namelessTaps.isEmpty else { return self }
        var named = self
        for port in ports where named.namelessTaps.remove(.tap(port)) != nil { named.interfaces.insert(port) }
        return named
    }
}

extension ServerSpec {
    /// The devices that the guest shall have, sorted.
    var devices: [GuestDevice] {
        interfaces.map(\.port).sorted().map(GuestDevice.interface) + volumes.map(\.id).sorted().map(GuestDevice.volume)
    }
}

/// What of a running guest's devices is to change.
public struct DeviceChanges: Hashable, Sendable {
    public var attach: [GuestDevice]
    public var detach: [GuestDevice]

    public init(attach: [GuestDevice] = [], detach: [GuestDevice] = []) {
        self.attach = attach
        self.detach = detach
    }
}
