import CoordinatorBlockStorage
import CoordinatorNetwork
import CoordinatorPlatform
import Crypto
import ProtocolModel

/// How servers look, by version and by who asks.
struct ServerView: Sendable {
    /// All that an answer shows of one server.
    struct Subject: Sendable {
        var server: ServerRecord
        var ports: [ServerPort]
        var groups: [String]
        var tags: [String]
        var volumes: [VolumeAttachment] = []
        /// The server group that it is in.
        var serverGroup: ServerGroupID?
        /// Empty for a server without host.
        var hostStatus: String
    }

    /// The parts that PUT leaves out before 2.75, and lists and shows differ by.
    struct Extent: Sendable {
        var isWhole = true
        /// `server_groups`, from 2.71 in all but the detailed list.
        var hasGroups = true

        static let show = Self()
        static let detail = Self(hasGroups: false)
        static func update(_ version: Microversion) -> Self { Self(isWhole: version.has(75)) }
    }

    let version: Microversion
    let isAdmin: Bool
    let links: Links

    init(_ call: APICall) {
        version = call.microversion
        isAdmin = call.caller?.isAdmin ?? false
        links = Links(call.baseURL)
    }

    /// The versions at which the detailed list changes: answers in between are alike.
    static let bands = [1, 3, 9, 16, 19, 26, 47, 63, 73, 90, 96, 98, 100]

    func basic(_ id: ServerID, name: String) -> JSON {
        ["id": .string(id.text), "name": .string(name), "links": links.both("servers/\(id)")]
    }

    func render(_ subject: Subject, _ extent: Extent) -> JSON {
        var out: [String: JSON] = [:]
        addCommon(subject, extent, to: &out)
        if extent.isWhole {
            addLasting(subject, to: &out)
            addState(subject.server, to: &out)
            if isAdmin { addAdministrative(subject, to: &out) }
        }
        addByVersion(subject, extent, to: &out)
        return .object(out)
    }

    private func addCommon(_ subject: Subject, _ extent: Extent, to out: inout [String: JSON]) {
        let server = subject.server
        out["id"] = .string(server.id.text)
        out["name"] = .string(server.name)
        out["status"] = .string(server.state.status)
        out["tenant_id"] = .string(server.project.compact)
        out["user_id"] = .string(server.user.compact)
        out["metadata"] = .object(server.metadata.mapValues(JSON.string))
        out["hostId"] = .string(Self.hostID(server.host?.hostname, project: server.project))
        out["image"] = image(server)
        out["flavor"] = flavor(server.flavor)
        out["created"] = .string(Timestamp.seconds(server.createdAt))
        out["updated"] = .string(Timestamp.seconds(server.updatedAt))
        out["addresses"] = server.state.vm == .building ? [:] : addresses(subject.ports, isExtended: extent.isWhole)
        out["accessIPv4"] = .string(server.accessIPv4)
        out["accessIPv6"] = .string(server.accessIPv6)
        out["links"] = links.both("servers/\(server.id)")
        out["OS-DCF:diskConfig"] = .string(server.diskConfig)
        if Self.progressing.contains(server.state.status) { out["progress"] = 0 }
        if ["ERROR", "DELETED"].contains(server.state.status), let fault = server.fault { out["fault"] = render(fault) }
    }

    /// Statuses that are shown with a progress.
    private static let progressing: Set<String> = [
        "ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"
    ]

    private func addLasting(_ subject: Subject, to out: inout [String: JSON]) {
        let server = subject.server
        out["OS-EXT-AZ:availability_zone"] = .string(server.host?.zone ?? server.pinnedZone ?? "")
        out["config_drive"] = server.hasConfigDrive ? "True" : ""
        out["key_name"] = JSON(server.keyName)
        out["OS-SRV-USG:launched_at"] = JSON(server.launchedAt.map(Timestamp.microsWithoutZone))
        out["OS-SRV-USG:terminated_at"] = JSON(server.terminatedAt.map(Timestamp.microsWithoutZone))
        out["os-extended-volumes:volumes_attached"] = .array(
            subject.volumes.map { attachment in
                var volume: [String: JSON] = ["id": .string(attachment.volume.text)]
                if version.has(3) { volume["delete_on_termination"] = .bool(attachment.deletesVolume) }
                return .object(volume)
            })
        if !subject.groups.isEmpty { out["security_groups"] = .array(subject.groups.map { ["name": .string($0)] }) }
    }

    private func addState(_ server: ServerRecord, to out: inout [String: JSON]) {
        out["OS-EXT-STS:task_state"] = JSON(server.state.task?.rawValue)
        out["OS-EXT-STS:vm_state"] = .string(server.state.vm.rawValue)
        out["OS-EXT-STS:power_state"] = JSON(server.state.power.rawValue)
    }

    private func addAdministrative(_ subject: Subject, to out: inout [String: JSON]) {
        let server = subject.server
        let prefix = "OS-EXT-SRV-ATTR:"
        out[prefix + "host"] = JSON(server.host?.hostname)
        out[prefix + "hypervisor_hostname"] = JSON(server.host?.hostname)
        out[prefix + "instance_name"] = .string(ServerNames.domain(server.number))
        if version.has(16) { out["host_status"] = .string(subject.hostStatus) }
        guard version.has(3) else { return }
        out[prefix + "hostname"] = .string(server.hostname)
        out[prefix + "kernel_id"] = ""
        out[prefix + "ramdisk_id"] = ""
        out[prefix + "launch_index"] = JSON(server.launchIndex)
        out[prefix + "reservation_id"] = .string(server.reservationID)
        out[prefix + "root_device_name"] = .string("/dev/\(ServerNames.rootDevice)")
        out[prefix + "user_data"] = JSON(server.userData)
    }

    private func addByVersion(_ subject: Subject, _ extent: Extent, to out: inout [String: JSON]) {
        let server = subject.server
        if version.has(9) { out["locked"] = .bool(server.lockedBy != nil) }
        if version.has(19) { out["description"] = JSON(server.description) }
        if version.has(26) { out["tags"] = .array(subject.tags.map(JSON.string)) }
        if version.has(63) { out["trusted_image_certificates"] = .null }
        if version.has(71), extent.hasGroups {
            out["server_groups"] = subject.serverGroup.map { [.string($0.text)] } ?? []
        }
        if version.has(73) { out["locked_reason"] = JSON(server.lockedReason) }
        if version.has(90), !isAdmin || !extent.isWhole { out["OS-EXT-SRV-ATTR:hostname"] = .string(server.hostname) }
        if version.has(96) { out["pinned_availability_zone"] = JSON(server.pinnedZone) }
        if version.has(100) { out["scheduler_hints"] = .raw(Array(server.schedulerHints.utf8)) }
    }

    /// Empty for one that starts from a volume and was made without an image.
    private func image(_ server: ServerRecord) -> JSON {
        guard !server.image.isAbsent else { return "" }
        let id = server.image.spec.id.text
        var image: [String: JSON] = ["id": .string(id), "links": [links.bookmark("images/\(id)")]]
        if version.has(98) { image["properties"] = .object(server.image.properties.mapValues(JSON.string)) }
        return .object(image)
    }

    private func flavor(_ flavor: FlavorSnapshot) -> JSON {
        guard version.has(47) else {
            return ["id": .string(flavor.id), "links": [links.bookmark("flavors/\(PercentCoding.encode(flavor.id))")]]
        }
        return [
            "original_name": .string(flavor.name), "vcpus": JSON(flavor.vcpus), "ram": JSON(flavor.memoryMiB),
            "disk": JSON(flavor.rootGiB), "ephemeral": JSON(flavor.ephemeralGiB), "swap": JSON(flavor.swapMiB),
            "extra_specs": .object(flavor.extraSpecs.mapValues(JSON.string))
        ]
    }

    /// By network name; addresses that were given from elsewhere stand behind the fixed ones.
    func addresses(_ ports: [ServerPort], isExtended: Bool) -> JSON {
        var networks: [String: [JSON]] = [:]
        func add(_ address: IPAddress, _ port: ServerPort, _ type: String) {
            var entry: [String: JSON] = [
                "version": JSON(address.family.rawValue), "addr": .string(address.description)
            ]
            if isExtended {
                entry["OS-EXT-IPS:type"] = .string(type)
                entry["OS-EXT-IPS-MAC:mac_addr"] = .string(port.mac.description)
            }
            networks[port.networkName, default: []].append(.object(entry))
        }
        for port in ports {
            for fixed in port.fixedIPs { add(fixed.address, port, "fixed") }
        }
        for port in ports {
            for address in port.floatingIPs { add(address, port, "floating") }
        }
        return .object(networks.mapValues(JSON.array))
    }

    private func render(_ fault: ServerFault) -> JSON {
        var out: [String: JSON] = [
            "code": JSON(fault.code), "created": .string(Timestamp.seconds(fault.createdAt)),
            "message": .string(fault.message)
        ]
        if isAdmin, !fault.details.isEmpty { out["details"] = .string(fault.details) }
        return .object(out)
    }

    /// Tells servers on one host from those elsewhere without naming it: 56 hexadecimal digits, as clients expect.
    static func hostID(_ host: String?, project: ProjectID) -> String {
        guard let host else { return "" }
        let digest = SHA256.hash(data: Array((project.compact + host).utf8))
        return String(digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().prefix(56))
    }
}

enum ServerNames {
    /// What the disk is called that a guest starts from.
    static let rootDevice = "vda"

    /// libvirt's name for the domain.
    static func domain(_ number: Int64) -> String {
        let digits = String(number, radix: 16)
        return "instance-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}
