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
    /// Whether guests have a screen, which is reached through libvirt and listens nowhere.
    public var hasGraphics: Bool

    public init(virtType: VirtType, cpuModel: String? = nil, hasGraphics: Bool = true) {
        self.virtType = virtType
        self.cpuModel = cpuModel
        self.hasGraphics = hasGraphics
    }
}
