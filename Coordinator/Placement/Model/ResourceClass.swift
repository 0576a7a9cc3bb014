/// Names of resource classes: `[A-Z0-9_]+`, own ones begin with `CUSTOM_`.
public enum ResourceClass {
    public static let vcpu = "VCPU"
    public static let memory = "MEMORY_MB"
    public static let disk = "DISK_GB"
    /// What all classes of ``volumes(in:)`` begin with.
    static let volumesPrefix = "CUSTOM_VOLUME_GB_"

    /// The space for volumes in one of a host's pools, GiB. No two pools have the same class: what a name of a class
    /// cannot hold is written as its bytes in hexadecimal digits behind an underscore.
    public static func volumes(in pool: String) -> String {
        volumesPrefix
            + pool.utf8.map { byte in
                switch byte {
                case 97...122: String(UnicodeScalar(byte - 32))
                case 48...57: String(UnicodeScalar(byte))
                default: "_" + String(byte >> 4, radix: 16).uppercased() + String(byte & 15, radix: 16).uppercased()
                }
            }.joined()
    }

    /// The classes every placement service knows (os-resource-classes).
    static let standard = [
        "VCPU", "MEMORY_MB", "DISK_GB", "PCI_DEVICE", "SRIOV_NET_VF", "NUMA_SOCKET", "NUMA_CORE", "NUMA_THREAD",
        "NUMA_MEMORY_MB", "IPV4_ADDRESS", "VGPU", "VGPU_DISPLAY_HEAD", "NET_BW_EGR_KILOBIT_PER_SEC",
        "NET_BW_IGR_KILOBIT_PER_SEC", "PCPU", "MEM_ENCRYPTION_CONTEXT", "FPGA", "PGPU",
        "NET_PACKET_RATE_KILOPACKET_PER_SEC",
        "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC", "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC"
    ]

    static func isCustomName(_ name: String) -> Bool {
        name.hasPrefix("CUSTOM_") && isWellFormed(name)
    }

    static func isWellFormed(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count)
            && name.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 }
    }
}
