/// One server as its host must run it.
public struct ServerSpec: Hashable, Sendable {
    /// The lasting states a user can ask for; a reboot is an operation, not a state.
    public enum Power: String, Hashable, Sendable, CaseIterable {
        case running, stopped, paused, suspended
    }

    public enum Firmware: String, Hashable, Sendable {
        case bios, uefi
    }

    /// One network interface, in the order the guest sees them.
    public struct Interface: Hashable, Sendable {
        public var port: PortID
        public var network: NetworkID
        public var mac: MACAddress
        public var mtuBytes: Int
        /// A qemu NIC model, `virtio` unless the image asks otherwise (`hw_vif_model`).
        public var model: String

        public init(port: PortID, network: NetworkID, mac: MACAddress, mtuBytes: Int, model: String) {
            self.port = port
            self.network = network
            self.mac = mac
            self.mtuBytes = mtuBytes
            self.model = model
        }
    }

    /// One volume, as the guest sees it.
    public struct Volume: Hashable, Sendable {
        /// How the host reaches the volume.
        public enum Place: Hashable, Sendable {
            /// In a pool of the host itself.
            case pool(String)
            /// On another host that exports it (NBD with mutual TLS).
            case remote(NodeID, address: IPAddress, port: Int)
        }

        public var id: VolumeID
        public var place: Place
        /// The API's name for it, `vdb`; what the guest's kernel calls it is the guest's.
        public var device: String
        /// `virtio`, `scsi`, `sata`, `ide`.
        public var bus: String
        /// The guest starts from it, in the order of these, before its other disks; `nil`: never.
        public var bootIndex: Int?
        public var isReadOnly: Bool
        /// Other guests may have it at the same time (Cinder's `multiattach`).
        public var isShared: Bool
        /// Limits by libvirt's names (`total_iops_sec`, `read_bytes_sec_max`), each a positive number.
        public var limits: [String: Int]

        public init(
            id: VolumeID, place: Place, device: String, bus: String = "virtio", bootIndex: Int? = nil,
            isReadOnly: Bool = false, isShared: Bool = false, limits: [String: Int] = [:]
        ) {
            self.id = id
            self.place = place
            self.device = device
            self.bus = bus
            self.bootIndex = bootIndex
            self.isReadOnly = isReadOnly
            self.isShared = isShared
            self.limits = limits
        }
    }

    /// The guest starts from a fresh disk of another image, and has its own disks behind that.
    public struct Rescue: Hashable, Sendable {
        /// Rises with each rescue: a different value means a fresh rescue disk.
        public var version: Int
        public var image: ImageSpec
        public var adminPassword: String

        public init(version: Int, image: ImageSpec, adminPassword: String) {
            self.version = version
            self.image = image
            self.adminPassword = adminPassword
        }
    }

    public var id: ServerID
    public var project: ProjectID
    public var user: UserID
    public var name: String
    public var hostname: String
    /// 1 and up, in order of insertion: libvirt's `instance-%08x` and EC2's `i-%08x` come from it.
    public var number: Int
    public var flavorName: String
    public var vcpus: Int
    public var memoryMiB: Int
    /// 0 means: as large as the image.
    public var rootGiB: Int
    public var ephemeralGiB: Int
    public var swapMiB: Int
    /// `nil`: there is no root disk of its own, the guest starts from a volume.
    public var image: ImageSpec?
    /// The seam a rebuild changes: a different value means a fresh root disk from `image`.
    public var rootDiskVersion: Int
    public var power: Power
    public var firmware: Firmware
    /// `q35` unless the image asks otherwise (`hw_machine_type`).
    public var machineType: String
    /// `virtio`, `scsi`, `sata`, `ide` (`hw_disk_bus`).
    public var diskBus: String
    public var interfaces: [Interface]
    public var hasConfigDrive: Bool
    /// Keypair names and their public keys in authorized_keys form.
    public var publicKeys: [PublicKey]
    /// At most 65,535 octets once decoded.
    public var userData: [UInt8]
    public var metadata: [String: String]
    public var availabilityZone: String
    /// The position within one multi-create request.
    public var launchIndex: Int
    /// The administrator's password for the guest, as the create call returned it; empty for none.
    public var adminPassword: String
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var createdAt: Int64
    /// Sorted by device.
    public var volumes: [Volume]
    public var rescue: Rescue?
    /// The image has an agent in the guest (`hw_qemu_guest_agent`): it gets a channel to talk to.
    public var hasGuestAgent: Bool

    public struct PublicKey: Hashable, Sendable {
        public var name: String
        public var key: String

        public init(name: String, key: String) {
            self.name = name
            self.key = key
        }
    }

    public init(
        id: ServerID, project: ProjectID, user: UserID, name: String, hostname: String, number: Int, flavorName: String,
        vcpus: Int, memoryMiB: Int, rootGiB: Int, ephemeralGiB: Int = 0, swapMiB: Int = 0, image: ImageSpec?,
        rootDiskVersion: Int = 0, power: Power = .running, firmware: Firmware = .bios, machineType: String = "q35",
        diskBus: String = "virtio", interfaces: [Interface] = [], hasConfigDrive: Bool = false,
        publicKeys: [PublicKey] = [], userData: [UInt8] = [], metadata: [String: String] = [:],
        availabilityZone: String = "nova", launchIndex: Int = 0, adminPassword: String = "", createdAt: Int64 = 0,
        volumes: [Volume] = [], rescue: Rescue? = nil, hasGuestAgent: Bool = false
    ) {
        self.id = id
        self.project = project
        self.user = user
        self.name = name
        self.hostname = hostname
        self.number = number
        self.flavorName = flavorName
        self.vcpus = vcpus
        self.memoryMiB = memoryMiB
        self.rootGiB = rootGiB
        self.ephemeralGiB = ephemeralGiB
        self.swapMiB = swapMiB
        self.image = image
        self.rootDiskVersion = rootDiskVersion
        self.power = power
        self.firmware = firmware
        self.machineType = machineType
        self.diskBus = diskBus
        self.interfaces = interfaces
        self.hasConfigDrive = hasConfigDrive
        self.publicKeys = publicKeys
        self.userData = userData
        self.metadata = metadata
        self.availabilityZone = availabilityZone
        self.launchIndex = launchIndex
        self.adminPassword = adminPassword
        self.createdAt = createdAt
        self.volumes = volumes
        self.rescue = rescue
        self.hasGuestAgent = hasGuestAgent
    }

    /// libvirt's name for the domain.
    public var domainName: String {
        let digits = String(number, radix: 16)
        return "instance-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

/// An image as a host caches it: named by content, so one file serves every server that starts from it.
public struct ImageSpec: Hashable, Sendable {
    public enum DiskFormat: String, Hashable, Sendable, CaseIterable {
        case raw, qcow2, iso
    }

    public var id: ImageID
    /// SHA-512 of the stored bytes, 128 hexadecimal digits in lower case.
    public var sha512: String
    /// The length of the stored bytes.
    public var sizeBytes: Int64
    public var format: DiskFormat

    public init(id: ImageID, sha512: String, sizeBytes: Int64, format: DiskFormat) {
        self.id = id
        self.sha512 = sha512
        self.sizeBytes = sizeBytes
        self.format = format
    }
}
