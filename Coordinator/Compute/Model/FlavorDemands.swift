/// Extra specs of flavors beside those that placement reads: which of them the hosts here carry out, and which forms are
/// theirs. Pure. Nova's names (`nova/api/validation/extra_specs`); a name without a namespace, or in one that nobody
/// knows, says something to whoever wrote it.
package enum FlavorDemands {
    /// What a value may be, as the compute API checks it from 2.86 on.
    enum Form: Sendable {
        case text
        case words([String])
        case integer(least: Int?)
        case flag
    }

    /// One extra spec of a known namespace.
    struct Spec: Sendable {
        var form: Form
        /// Whether guests are as the value says.
        var isMet: @Sendable (_ value: String, _ vcpus: Int) -> Bool

        init(_ form: Form, met: @escaping @Sendable (_ value: String, _ vcpus: Int) -> Bool = { _, _ in false }) {
            self.form = form
            isMet = met
        }
    }

    private static func words(_ words: String..., met: String) -> Spec {
        Spec(.words(words)) { value, _ in value == met }
    }
    /// Off, as it is here.
    private static let off = Spec(.flag) { value, _ in isFalse(value) }
    private static let unmetNumber = Spec(.integer(least: 0))
    private static let unmetText = Spec(.text)
    /// Nothing here that it could bound: no such device is made.
    private static let vacuous = Spec(.text) { _, _ in true }
    private static let one = Spec(.integer(least: 1)) { value, _ in Int(value) == 1 }
    /// An upper bound of what is one here.
    private static let atLeastOne = Spec(.integer(least: 1)) { value, _ in Int(value) ?? 0 >= 1 }
    private static let enoughSockets = Spec(.integer(least: 1)) { value, vcpus in Int(value) ?? 0 >= vcpus }

    /// Guests have a socket a processor, small pages, one serial port, and a virtio random number generator.
    private static let known: [String: Spec] = [
        "hw:cpu_policy": words("dedicated", "shared", "mixed", met: "shared"),
        "hw:cpu_thread_policy": words("prefer", "isolate", "require", met: "prefer"),
        "hw:emulator_threads_policy": words("isolate", "share", met: "share"),
        "hw:cpu_dedicated_mask": unmetText, "hw:cpu_realtime": off, "hw:cpu_realtime_mask": unmetText,
        "hw:hide_hypervisor_id": off, "hide_hypervisor_id": off,
        "hw:mem_page_size": Spec(.text) { value, _ in value == "small" || value == "any" },
        "hw:numa_nodes": Spec(.integer(least: 1)),
        "hw:pci_numa_affinity_policy": Spec(.words(["required", "preferred", "legacy", "socket"])) { _, _ in true },
        "hw:cpu_sockets": Spec(.integer(least: 1)) { value, vcpus in Int(value) == vcpus },
        "hw:cpu_cores": one, "hw:cpu_threads": one, "hw:max_cpu_sockets": enoughSockets,
        "hw:cpu_max_sockets": enoughSockets, "hw:max_cpu_cores": atLeastOne, "hw:cpu_max_cores": atLeastOne,
        "hw:max_cpu_threads": atLeastOne, "hw:cpu_max_threads": atLeastOne,
        "hw:boot_menu": off, "hw:mem_encryption": off, "hw:mem_encryption_model": unmetText, "hw:locked_memory": off,
        "hw:pmem": unmetText, "hw:pmu": Spec(.flag), "hw:serial_port_count": one,
        "hw:tpm_model": words("tpm-tis", "tpm-crb", met: ""), "hw:tpm_version": words("1.2", "2.0", met: ""),
        "hw:viommu_model": unmetText, "hw:maxphysaddr_mode": unmetText, "hw:maxphysaddr_bits": unmetNumber,
        "hw:watchdog_action": words("none", "pause", "poweroff", "reset", "disabled", met: "disabled"),
        "hw_rng:allowed": Spec(.flag) { value, _ in isTrue(value) }, "hw_rng:rate_bytes": unmetNumber,
        "hw_rng:rate_period": unmetNumber, "hw_video:ram_max_mb": vacuous,
        "os:secure_boot": words("disabled", "required", met: "disabled"),
        "accel:device_profile": unmetText, "pci_passthrough:alias": unmetText,
        "group_policy": words("isolate", "none", met: "none")
    ]

    private static let quotas: Set<String> = {
        var names: Set<String> = ["cpu_shares", "cpu_period", "cpu_quota"]
        for stat in ["read", "write", "total"] {
            for metric in ["bytes", "iops"] { names.insert("disk_\(stat)_\(metric)_sec") }
        }
        for way in ["inbound", "outbound"] {
            for what in ["average", "peak", "burst"] { names.insert("vif_\(way)_\(what)") }
        }
        return names
    }()

    /// Of another hypervisor, which no host here has: Nova's own driver for QEMU passes over them as well.
    private static let foreign: Set<String> = ["powervm", "vmware"]
    /// Namespaces whose names are the operator's, and that nothing here looks at.
    private static let open: Set<String> = ["capabilities"]

    private static func spec(_ name: String) -> Spec? {
        if let spec = known[name] { return spec }
        let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        // What is well-formed placement carries out; what is not it would pass over.
        case let word where word.hasPrefix("resources"):
            return Spec(.integer(least: 0)) { value, _ in Int(value).map { $0 >= 0 } ?? false }
        case let word where word.hasPrefix("trait"):
            return Spec(.words(["required", "forbidden"])) { value, _ in ["required", "forbidden"].contains(value) }
        case "quota":
            if quotas.contains(parts[1]) { return unmetNumber }
            // VMware's.
            let isForeign = ["cpu", "memory", "disk_io", "vif"].contains { resource in
                ["limit", "reservation", "shares_level", "shares_share"].contains { parts[1] == "\(resource)_\($0)" }
            }
            return isForeign ? unmetText : nil
        case "hw" where parts[1].hasPrefix("numa_cpus.") || parts[1].hasPrefix("numa_mem."):
            return Int(parts[1].drop { $0 != "." }.dropFirst()) == nil ? nil : unmetText
        // The hosts' aggregates answer it, whatever the value: ``AggregateRules``.
        case "aggregate_instance_extra_specs": return Spec(.text) { _, _ in true }
        case let word where foreign.contains(word): return vacuous
        case let word where open.contains(word): return unmetText
        default: return nil
        }
    }

    private static func isTrue(_ text: String) -> Bool {
        ["1", "t", "true", "on", "y", "yes"].contains(text.lowercased())
    }
    private static func isFalse(_ text: String) -> Bool {
        ["0", "f", "false", "off", "n", "no"].contains(text.lowercased())
    }

    /// Namespaces in which every name must be known.
    private static let closed: Set<String> = ["hw", "hw_rng", "hw_video", "os", "quota", "accel", "pci_passthrough"]

    // MARK: Asking

    /// What no host here carries out, as `name=value`, by name.
    /// - Parameter image: Of its properties those that promise the guest protection.
    package static func unmet(_ specs: [String: String], vcpus: Int, image: [String: String] = [:]) -> [String] {
        var specs = specs
        for (property, name) in protections {
            if let value = image[property], value != "optional", specs[name] == nil { specs[name] = value }
        }
        let unmet = specs.filter { name, value in
            if let spec = spec(name) { return !spec.isMet(value, vcpus) }
            return closed.contains(String(name.prefix { $0 != ":" })) && name.contains(":")
        }
        // An image that brings no boot loader, but names its kernel.
        let kernel = image["kernel_id"].flatMap { $0.isEmpty || $0 == "nokernel" ? nil : "kernel_id=\($0)" }
        return unmet.map { "\($0.key)=\($0.value)" }.sorted() + (kernel.map { [$0] } ?? [])
    }

    private static let protections = [
        "hw_mem_encryption": "hw:mem_encryption", "hw_tpm_model": "hw:tpm_model", "hw_tpm_version": "hw:tpm_version",
        "os_secure_boot": "os:secure_boot"
    ]

    /// What is wrong with an extra spec's name or value, in Nova's words; `nil` for nothing.
    package static func problem(_ name: String, _ value: String) -> String? {
        guard let spec = spec(name) else {
            let isStrange = name.contains(":") && closed.contains(String(name.prefix { $0 != ":" }))
            return isStrange
                ? "Validation failed; extra spec '\(name)' does not appear to be a valid extra spec." : nil
        }
        switch spec.form {
        case .text: return nil
        case .words(let words) where !words.contains(value):
            return "Validation failed; '\(value)' is not one of: \(words.joined(separator: ", "))."
        case .words: return nil
        case .flag where !isTrue(value) && !isFalse(value):
            return "Validation failed; '\(value)' is not a valid boolean-like value."
        case .flag: return nil
        case .integer(let least):
            guard let number = Int(value) else {
                return "Validation failed; '\(value)' is not a valid integer value."
            }
            guard let least, number < least else { return nil }
            return "Validation failed; '\(value)' is less than the min value of '\(least)'."
        }
    }
}
