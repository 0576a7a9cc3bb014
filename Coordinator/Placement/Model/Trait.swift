import ProtocolModel

/// Names of traits, and those that follow from what a host reports of itself.
public enum Trait {
    /// A provider that runs guests, and what firmware it has for them (os-traits).
    public static let compute = "COMPUTE_NODE"
    public static let uefi = "COMPUTE_FIRMWARE_UEFI"
    /// What such a provider has may be used by all that share an aggregate with it.
    static let sharing = "MISC_SHARES_VIA_AGGREGATE"

    /// What is written from reports begins so: a new report replaces it, and nothing else.
    private static let reported = ["COMPUTE_", "CUSTOM_PHYSNET_"]

    public static func isReported(_ name: String) -> Bool { reported.contains { name.hasPrefix($0) } }

    /// What a host can be asked for, in the words of the placement API.
    public static func of(_ report: NodeReport) -> Set<String> {
        guard report.roles.contains(.compute) else { return networks(of: report) }
        var traits = networks(of: report).union([compute])
        if report.hypervisor.hasUEFI { traits.insert(uefi) }
        if let architecture = architectures[report.hypervisor.cpuArchitecture] {
            traits.insert("COMPUTE_ARCH_\(architecture)")
        }
        return traits
    }

    /// Physical networks as Neutron names their traits: in capitals, with `_` for what a trait's name cannot hold.
    private static func networks(of report: NodeReport) -> Set<String> {
        Set(
            report.physicalNetworks.map { network in
                "CUSTOM_PHYSNET_"
                    + String(
                        network.uppercased().unicodeScalars.map { scalar -> Character in
                            ResourceClass.isWellFormed(String(scalar)) ? Character(scalar) : "_"
                        })
            })
    }

    /// Own ones begin with `CUSTOM_`.
    static let standard = StandardTraits.all

    static func isStandard(_ name: String) -> Bool { StandardTraits.set.contains(name) }

    private static let architectures = [
        "x86_64": "X86_64", "aarch64": "AARCH64", "ppc64le": "PPC64LE", "s390x": "S390X", "riscv64": "RISCV64",
        "mipsel": "MIPSEL"
    ]
}
