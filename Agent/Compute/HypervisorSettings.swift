/// How this host runs guests: part of what a domain's definition is made from.
public struct HypervisorSettings: Hashable, Sendable {
    /// What executes guests' instructions.
    public enum VirtType: String, Hashable, Sendable {
        /// The processor itself.
        case kvm
        /// QEMU's own emulation (TCG), tens of times slower.
        case qemu
    }

    public var virtType: VirtType
    /// A libvirt CPU model for guests, `host-model` and `host-passthrough` among them; `nil` for what suits the virt type.
    public var cpuModel: String?
    /// The address VNC servers listen on; `nil` for guests without graphics.
    public var vncListenAddress: String?

    public init(virtType: VirtType, cpuModel: String? = nil, vncListenAddress: String? = nil) {
        self.virtType = virtType
        self.cpuModel = cpuModel
        self.vncListenAddress = vncListenAddress
    }
}
