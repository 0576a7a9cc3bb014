import CoordinatorPlatform

/// The namespaces that clients and dashboards expect to find: names, types and values are OpenStack's (Glance's
/// `etc/metadefs`), as far as something here honours them or clients commonly ask for them.
enum MetadefDefaults {
    static func contents(at now: Int64) -> [MetadefContent] {
        (hardware + guests + others).map { $0.content(at: now) }
    }

    private static let hardware: [Namespace] = [
        Namespace(
            "OS::Compute::VirtCPUTopology", "Virtual CPU Topology", "How a guest's processors are laid out.",
            for: virtualHardware,
            [
                .integer("cpu_sockets", "vCPU Sockets", "Sockets the guest should see."),
                .integer("cpu_cores", "vCPU Cores", "Cores per socket the guest should see."),
                .integer("cpu_threads", "vCPU Threads", "Threads per core the guest should see."),
                .integer("cpu_max_sockets", "Max vCPU Sockets", "The most sockets the guest copes with."),
                .integer("cpu_max_cores", "Max vCPU Cores", "The most cores per socket the guest copes with."),
                .integer("cpu_max_threads", "Max vCPU Threads", "The most threads per core the guest copes with.")
            ]),
        Namespace(
            "OS::Compute::CPUPinning", "CPU Pinning", "Whether a guest gets processors of its own.",
            for: virtualHardware,
            [
                .choice("cpu_policy", "CPU Pinning policy", "Shared or own processors.", ["shared", "dedicated"]),
                .choice(
                    "cpu_thread_policy", "CPU Thread Pinning Policy.", "What own processors do with sibling threads.",
                    ["isolate", "prefer", "require"])
            ]),
        Namespace(
            "OS::Compute::GuestMemoryBacking", "Guest Memory Backing", "Which pages a guest's memory is made of.",
            for: virtualHardware,
            [.string("mem_page_size", "Size of memory page", "small, large, any, or a size such as 2MB.")]),
        Namespace(
            "OS::Compute::Watchdog", "Watchdog Behavior", "A watchdog device, and what happens when it barks.",
            for: virtualHardware,
            [
                .choice(
                    "watchdog_action", "Watchdog Action", "What is done to a guest that hangs.",
                    ["disabled", "reset", "poweroff", "pause", "none"])
            ]),
        Namespace(
            "OS::Compute::Libvirt", "libvirt Driver Options", "Devices and features of the virtual machine.",
            for: [.image("hw_"), .flavor("hw:")],
            [
                .count("serial_port_count", "Serial Port Count", "How many serial ports there are."),
                .choice("boot_menu", "Boot Menu", "Whether the firmware offers a menu.", ["true", "false"]),
                .choice(
                    "mem_encryption", "Hardware Memory Encryption", "Whether the processor encrypts the memory.",
                    ["true", "false"]),
                .choice(
                    "virtio_packed_ring", "Virtio Packed Ring", "Whether virtio devices use packed rings.",
                    ["true", "false"])
            ]),
        Namespace(
            "OS::Compute::TPM", "TPM Options", "An emulated trusted platform module.",
            for: [.flavor("hw:"), .image("hw_")],
            [
                .choice("tpm_model", "TPM model", "How the guest talks to it.", ["tpm-tis", "tpm-crb"]),
                .choice("tpm_version", "TPM version", "Which specification it follows.", ["1.2", "2.0"])
            ])
    ]

    private static let buses = ["scsi", "virtio", "uml", "xen", "ide", "usb", "fdc", "sata", "lxc"]
    private static let yesOrNo = ["yes", "no"]

    private static let guests: [Namespace] = [
        Namespace(
            "OS::Compute::LibvirtImage", "libvirt Driver Options for Images",
            "What an image says of the virtual machine it wants.", for: [.image()],
            [
                .choice("hw_disk_bus", "Disk Bus", "What disks hang on.", buses),
                .choice("hw_cdrom_bus", "CD-ROM Bus", "What optical drives hang on.", buses),
                .choice("hw_firmware_type", "Firmware Type", "What starts the guest.", ["bios", "uefi"]),
                .string("hw_machine_type", "Machine Type", "The emulated machine, such as q35."),
                .string("hw_rng_model", "Random Number Generator Device model", "The source of entropy."),
                .string("hw_scsi_model", "SCSI Model", "The controller of SCSI disks, such as virtio-scsi."),
                .choice(
                    "hw_vif_model", "Virtual Network Interface", "The emulated network card.",
                    [
                        "e1000", "e1000e", "ne2k_pci", "netfront", "pcnet", "rtl8139", "spapr-vlan", "virtio",
                        "vmxnet3",
                        "igb"
                    ]),
                .choice(
                    "hw_vif_multiqueue_enabled", "Multiqueue Enabled", "Whether a card has a queue per processor.",
                    ["true", "false"]),
                .choice(
                    "hw_video_model", "Video Model", "The emulated graphics card.",
                    ["vga", "cirrus", "vmvga", "xen", "qxl", "virtio", "gop", "none", "bochs"]),
                .count("hw_video_ram", "Max Video Ram", "The graphics card's memory in MiB."),
                .choice(
                    "hw_qemu_guest_agent", "QEMU Guest Agent", "Whether the guest runs QEMU's agent.", yesOrNo),
                .choice("hw_pointer_model", "Pointer Model", "The pointing device.", ["usbtablet"]),
                .choice(
                    "hw_pmu", "Virtual Performance Monitoring Unit", "Whether the guest sees one.", ["true", "false"]),
                .choice(
                    "img_hide_hypervisor_id", "Hide hypervisor id", "Whether the guest is kept from knowing.",
                    yesOrNo),
                .string("os_command_line", "Kernel Command Line", "For a kernel that is booted directly."),
                .choice("os_type", "OS Type", "The kind of system.", ["linux", "windows"])
            ]),
        Namespace(
            "OS::Compute::Hypervisor", "Hypervisor Selection", "Which kind of host an image needs.", for: [.image()],
            [
                .choice(
                    "hypervisor_type", "Hypervisor Type", "The hypervisor.",
                    ["baremetal", "hyperv", "kvm", "lxc", "powervm", "qemu", "uml", "vmware", "vz", "xen"]),
                .choice("vm_mode", "VM Mode", "How guest and host meet.", ["hvm", "xen", "uml", "exe"])
            ]),
        Namespace(
            "OS::Compute::InstanceData", "Instance Config Data", "What a guest is given, and asked before snapshots.",
            for: [.image(), .volume()],
            [
                .choice(
                    "img_config_drive", "Config Drive", "Whether the guest needs a drive with its metadata.",
                    ["optional", "mandatory"]),
                .choice(
                    "os_require_quiesce", "Require Quiescent File system", "Whether snapshots wait for file systems.",
                    yesOrNo)
            ]),
        Namespace(
            "OS::Compute::GuestShutdownBehavior", "Shutdown Behavior", "How a guest is shut down.", for: [.image()],
            [.count("os_shutdown_timeout", "Shutdown timeout", "Seconds that a guest is given to shut down.")]),
        Namespace(
            "OS::Compute::RandomNumberGenerator", "Random Number Generator", "A source of entropy for guests.",
            for: [.flavor()],
            [
                .flag("hw_rng:allowed", "Random Number Generator Allowed", "Whether guests may have one."),
                .integer("hw_rng:rate_bytes", "Random number generator limits.", "Bytes per period."),
                .integer("hw_rng:rate_period", "Random number generator read period.", "The period in milliseconds.")
            ])
    ]

    private static let others: [Namespace] = [
        Namespace(
            "OS::Glance::CommonImageProperties", "Common Image Properties", "What people say of images.", for: [],
            [
                .string("kernel_id", "Kernel ID", "The image of the kernel to boot with."),
                .string("ramdisk_id", "Ramdisk ID", "The image of the initial RAM disk."),
                .string("instance_uuid", "Instance ID", "The server that the image was made from."),
                .string("architecture", "CPU Architecture", "The processor it is for, such as x86_64."),
                .string("os_distro", "OS Distro", "The distribution's name in lower case."),
                .string("os_version", "OS Version", "The distribution's version."),
                .string("description", "Image description", "What the image is.")
            ]),
        Namespace(
            "OS::OperatingSystem", "Common Operating System Properties", "The operating system on a disk.",
            for: [.image(), .volume()],
            [
                .string("os_distro", "OS Distro", "The distribution's name in lower case."),
                .string("os_version", "OS Version", "The distribution's version."),
                .string("os_admin_user", "OS Admin User", "Who administers the system.")
            ]),
        Namespace(
            "OS::Cinder::Volumetype", "Cinder Volume Type", "Volumes made from an image.", for: [.image("cinder_")],
            [.string("img_volume_type", "Image Volume Type", "The type of such volumes.")]),
        Namespace(
            "OS::Compute::AggregateNumInstancesFilter", "Instances per Host", "Limits of hosts.", for: [.aggregate],
            [.count("max_instances_per_host", "Max Instances Per Host", "The most servers on one host.")]),
        Namespace(
            "OS::Compute::Quota", "Flavor Quota", "How much of a host's speed a server gets.", for: [.flavor()],
            objects: [
                .group(
                    "CPU Limits", "Processor time.",
                    ["cpu_shares", "cpu_period", "cpu_quota"].map { .quota($0) }),
                .group(
                    "Disk QoS", "Disk input and output.",
                    ["read", "write", "total"].flatMap { way in
                        ["bytes", "iops"].map { .quota("disk_\(way)_\($0)_sec") }
                    }),
                .group(
                    "Virtual Interface QoS", "Network traffic.",
                    ["inbound", "outbound"].flatMap { way in
                        ["average", "burst", "peak"].map { .quota("vif_\(way)_\($0)") }
                    })
            ])
    ]
}

extension MetadefDefaults {
    /// What decides about virtual hardware.
    private static let virtualHardware: [MetadefAssociation] = [.image("hw_"), .volume("hw_"), .flavor("hw:")]

    private struct Namespace {
        var content: MetadefContent

        init(
            _ name: String, _ title: String, _ description: String, for resources: [MetadefAssociation],
            _ properties: [MetadefItem] = [], objects: [MetadefItem] = []
        ) {
            content = MetadefContent(MetadefNamespace(name: name, owner: "admin", at: 0))
            content.namespace.displayName = title
            content.namespace.description = description
            content.associations = resources
            content.items = properties + objects
        }

        /// Public and protected, as the shipped ones are.
        func content(at now: Int64) -> MetadefContent {
            var content = content
            content.namespace.visibility = .public
            content.namespace.isProtected = true
            (content.namespace.createdAt, content.namespace.updatedAt) = (now, now)
            for place in content.associations.indices {
                (content.associations[place].createdAt, content.associations[place].updatedAt) = (now, now)
            }
            for place in content.items.indices {
                (content.items[place].createdAt, content.items[place].updatedAt) = (now, now)
            }
            return content
        }
    }
}

extension MetadefAssociation {
    fileprivate static func image(_ prefix: String? = nil) -> Self { Self("OS::Glance::Image", prefix: prefix, at: 0) }
    fileprivate static func flavor(_ prefix: String? = nil) -> Self { Self("OS::Nova::Flavor", prefix: prefix, at: 0) }
    fileprivate static func volume(_ prefix: String? = nil) -> Self {
        Self("OS::Cinder::Volume", prefix: prefix, target: "image", at: 0)
    }
    fileprivate static let aggregate = Self("OS::Nova::Aggregate", at: 0)
}

extension MetadefItem {
    private static func property(
        _ name: String, _ title: String, _ description: String, _ type: String, _ more: [String: JSON] = [:]
    ) -> Self {
        var body = more
        body["title"] = .string(title)
        body["type"] = .string(type)
        if !description.isEmpty { body["description"] = .string(description) }
        return Self(.property, name: name, body: body, at: 0)
    }

    fileprivate static func string(_ name: String, _ title: String, _ description: String) -> Self {
        property(name, title, description, "string")
    }
    fileprivate static func integer(_ name: String, _ title: String, _ description: String) -> Self {
        property(name, title, description, "integer")
    }
    fileprivate static func count(_ name: String, _ title: String, _ description: String) -> Self {
        property(name, title, description, "integer", ["minimum": 0])
    }
    fileprivate static func flag(_ name: String, _ title: String, _ description: String) -> Self {
        property(name, title, description, "boolean")
    }
    fileprivate static func choice(_ name: String, _ title: String, _ description: String, _ values: [String]) -> Self {
        property(name, title, description, "string", ["enum": .array(values.map(JSON.string))])
    }
    fileprivate static func quota(_ name: String) -> Self {
        property("quota:\(name)", "Quota: \(name.replacing("_", with: " "))", "", "integer")
    }

    fileprivate static func group(_ name: String, _ description: String, _ properties: [MetadefItem]) -> Self {
        let members = Dictionary(uniqueKeysWithValues: properties.map { ($0.name, JSON.object($0.body)) })
        return Self(
            .object, name: name, body: ["description": .string(description), "properties": .object(members)], at: 0)
    }
}
