import CoordinatorPlacement

/// What flavors and images ask of hosts and of the guest's hardware. Pure.
package enum HardwareWishes {
    /// What placement has to look for, beside the flavor's own numbers.
    package struct Wishes: Sendable, Hashable {
        /// By resource class, as the flavor's extra specs say; 0 claims none of it.
        package var resources: [String: Int] = [:]
        package var required: Set<String> = []
        package var forbidden: Set<String> = []
    }

    /// `resources:CLASS`, `trait:NAME`, also with a group's name (`resources1:CLASS`): a host is one provider, so that all
    /// groups are of the same one.
    package static func read(extraSpecs: [String: String], image: [String: String]) -> Wishes {
        var wishes = Wishes()
        var amounts: [String: [Int]] = [:]
        for (key, value) in extraSpecs {
            guard let (word, name) = split(key) else { continue }
            switch (word, value) {
            case ("resources", _): if let amount = Int(value), amount >= 0 { amounts[name, default: []].append(amount) }
            case ("trait", "required"): wishes.required.insert(name)
            case ("trait", "forbidden"): wishes.forbidden.insert(name)
            default: break
            }
        }
        wishes.resources = amounts.mapValues { $0.reduce(0) { $0.addingReportingOverflow($1).partialValue } }
        for (key, value) in image where value == "required" {
            if let (word, name) = split(key), word == "trait" { wishes.required.insert(name) }
        }
        if let architecture = (image["hw_architecture"] ?? image["architecture"]).map(canonical) {
            wishes.required.insert("COMPUTE_ARCH_\(architecture.uppercased())")
        }
        return wishes
    }

    private static func split(_ key: String) -> (word: String, name: String)? {
        guard let colon = key.firstIndex(of: ":") else { return nil }
        let name = String(key[key.index(after: colon)...])
        let word = ["resources", "trait"].first { key.hasPrefix($0) }
        guard let word, !name.isEmpty else { return nil }
        let group = key[..<colon].dropFirst(word.count).utf8
        let isGroup = group.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
                || byte == 45
        }
        return isGroup ? (word, name) : nil
    }

    /// Other names of the same; an x86-64 host runs guests of 32 bits.
    private static func canonical(_ architecture: String) -> String {
        switch architecture.lowercased() {
        case "x86_64", "amd64", "i386", "i486", "i586", "i686", "x86": "x86_64"
        case "aarch64", "arm64": "aarch64"
        case let other: other
        }
    }

    /// Properties that become a part of the guest, and what they may be.
    private static let choices: [(property: String, values: Set<String>)] = [
        ("hw_vif_model", ["virtio", "e1000", "e1000e", "igb", "ne2k_pci", "pcnet", "rtl8139", "vmxnet3"]),
        ("hw_disk_bus", ["virtio", "scsi", "sata", "ide", "usb"]), ("hw_firmware_type", ["bios", "uefi"])
    ]

    /// - Returns: The value of an image's property that no host here could make; `nil` when there is none.
    package static func unknownValue(in image: [String: String]) -> String? {
        for (property, values) in choices {
            if let value = image[property], !values.contains(value) { return value }
        }
        guard let machine = image["hw_machine_type"] else { return nil }
        let isName = machine.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || [45, 46, 95].contains(byte)
        }
        return isName && (1...64).contains(machine.utf8.count) ? nil : machine
    }
}
