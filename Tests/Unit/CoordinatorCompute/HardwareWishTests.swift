import CoordinatorCompute
import Testing

@Suite("what flavors and images ask of hosts")
struct HardwareWishTests {
    static let specs: [([String: String], resources: [String: Int], required: Set<String>, forbidden: Set<String>)] = [
        ([:], [:], [], []), (["trait:CUSTOM_X": "required"], [:], ["CUSTOM_X"], []),
        (["trait:CUSTOM_X": "forbidden", "trait1:CUSTOM_Y": "required"], [:], ["CUSTOM_Y"], ["CUSTOM_X"]),
        (["resources:CUSTOM_GPU": "1", "resources1:CUSTOM_GPU": "2"], ["CUSTOM_GPU": 3], [], []),
        (["resources:VCPU": "0"], ["VCPU": 0], [], []), (["resources_NET-1:CUSTOM_N": "4"], ["CUSTOM_N": 4], [], []),
        (["resources:CUSTOM_GPU": "many", "trait:CUSTOM_X": "maybe", "hw:cpu_policy": "shared"], [:], [], []),
        (["resources:": "1", "resources!:X": "1", "traits": "required"], [:], [], [])
    ]

    @Test("extra specs become resources and traits", arguments: specs.indices)
    func extraSpecs(_ index: Int) {
        let (specs, resources, required, forbidden) = Self.specs[index]
        let wishes = HardwareWishes.read(extraSpecs: specs, image: [:])
        #expect(wishes.resources == resources && wishes.required == required && wishes.forbidden == forbidden)
    }

    @Test(
        "an image asks for its architecture and its traits",
        arguments: [
            (["hw_architecture": "aarch64"], "COMPUTE_ARCH_AARCH64"), (["architecture": "i686"], "COMPUTE_ARCH_X86_64"),
            (["hw_architecture": "amd64", "architecture": "arm64"], "COMPUTE_ARCH_X86_64"),
            (["hw_architecture": "pdp11"], "COMPUTE_ARCH_PDP11"), (["trait:CUSTOM_X": "required"], "CUSTOM_X")
        ])
    func images(properties: [String: String], trait: String) {
        #expect(HardwareWishes.read(extraSpecs: [:], image: properties).required == [trait])
    }

    @Test(
        "what would be no hardware is told by its value",
        arguments: [
            (["hw_vif_model": "virtio", "hw_disk_bus": "scsi", "hw_machine_type": "pc-q35-7.2"], nil),
            (["hw_vif_model": "virtio\"/><x"], "virtio\"/><x"), (["hw_vif_model": "rocker"], "rocker"),
            (["hw_disk_bus": "fdc"], "fdc"), (["hw_firmware_type": "coreboot"], "coreboot"),
            (["hw_machine_type": "q35,accel=tcg"], "q35,accel=tcg"), (["hw_machine_type": ""], "")
        ] as [([String: String], String?)])
    func values(properties: [String: String], wrong: String?) {
        #expect(HardwareWishes.unknownValue(in: properties) == wrong)
    }
}
