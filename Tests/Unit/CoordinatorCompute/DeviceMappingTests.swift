import CoordinatorCompute
import CoordinatorPlatform
import Testing

@Suite("compute: block devices of a create call")
struct DeviceMappingTests {
    private static let image = "70a599e0-31e7-49b7-b260-868f441e862b"
    private static let volume = "11111111-2222-4333-8444-555555555555"

    private static func read(_ extra: [String: JSON], minor: Int, imageRef: String?) throws -> [ServerDisk] {
        var server: [String: JSON] = ["name": "web", "flavorRef": "1", "networks": "auto"]
        server["imageRef"] = imageRef.map(JSON.string)
        if minor < 37 { server["networks"] = nil }
        server.merge(extra) { $1 }
        let version = Microversion(2, minor)
        let body = try CreateServerBody.read(["server": .object(server)], version)
        return try body.command(version, password: "x", reservationID: "r-1").disks
    }

    private static func device(_ source: String, _ destination: String?, _ more: [String: JSON] = [:]) -> JSON {
        var members: [String: JSON] = ["source_type": .string(source)]
        members["destination_type"] = destination.map(JSON.string)
        return .object(members.merging(more) { $1 })
    }

    private static let root: JSON = device("volume", "volume", ["uuid": .string(volume), "boot_index": 0])
    private static let local: JSON = device("image", "local", ["uuid": .string(image), "boot_index": 0])

    @Test("all kinds of disks are told apart")
    func disks() throws {
        let disks = try Self.read(
            [
                "block_device_mapping_v2": [
                    Self.device(
                        "image", "volume",
                        [
                            "uuid": .string(Self.image), "boot_index": "0", "volume_size": "2", "volume_type": "fast",
                            "delete_on_termination": true, "device_name": "/dev/vda", "disk_bus": "scsi", "tag": "root"
                        ]),
                    Self.device("volume", nil, ["uuid": .string(Self.volume), "boot_index": 1]),
                    Self.device("snapshot", "volume", ["uuid": .string(Self.volume), "boot_index": -1]),
                    Self.device("blank", "volume", ["volume_size": 3, "boot_index": nil]),
                    Self.device("blank", "local", ["volume_size": 1]),
                    Self.device("blank", "local", ["guest_format": "swap", "volume_size": 64]),
                    Self.device("blank", "local", ["no_device": true])
                ]
            ], minor: 67, imageRef: nil)
        var first = ServerDisk(.new(.image(Self.image)), size: 2, bootIndex: 0)
        first.type = "fast"
        first.deletesVolume = true
        first.device = "vda"
        first.bus = "scsi"
        first.tag = "root"
        #expect(
            disks == [
                first, ServerDisk(.volume(Self.volume), bootIndex: 1), ServerDisk(.new(.snapshot(Self.volume))),
                ServerDisk(.new(.blank), size: 3), ServerDisk(.ephemeral, size: 1), ServerDisk(.swap, size: 64)
            ])
        #expect(try Self.read([:], minor: 1, imageRef: Self.image).isEmpty)
    }

    @Test("the first version: what bears the root disk's name is what the guest starts from")
    func old() throws {
        let volume: JSON = [
            "volume_id": .string(Self.volume), "device_name": "vda", "delete_on_termination": "True"
        ]
        let disks = try Self.read(["block_device_mapping": [volume]], minor: 1, imageRef: nil)
        #expect(disks.map(\.kind) == [.volume(Self.volume)] && disks[0].bootIndex == 0 && disks[0].deletesVolume)
        let more: JSON = [
            ["snapshot_id": .string(Self.volume), "device_name": "vdb", "volume_size": 2],
            ["virtual_name": "swap"], ["virtual_name": "ephemeral0"], ["device_name": "vdc", "no_device": true]
        ]
        let beside = try Self.read(["block_device_mapping": more], minor: 1, imageRef: Self.image)
        #expect(beside.map(\.kind) == [.image, .new(.snapshot(Self.volume)), .swap, .ephemeral])
        #expect(beside.map(\.bootIndex) == [0, nil, nil, nil])
    }

    /// What stands in the body, the image beside it, and a part of the refusal.
    static let refusals: [([String: JSON], String?, String)] = [
        (["block_device_mapping_v2": [device("volume", "volume", ["uuid": .string(volume)])]], nil, "Boot sequence"),
        (
            ["block_device_mapping_v2": [root, device("blank", "volume", ["boot_index": 2, "volume_size": 1])]], nil,
            "Boot sequence"
        ),
        (["block_device_mapping_v2": [root, local]], image, "Boot sequence"),
        (["block_device_mapping": [["volume_id": .string(volume), "device_name": "vdb"]]], nil, "Boot sequence"),
        (
            ["block_device_mapping_v2": [device("blank", "volume", ["uuid": "x", "boot_index": 0])]], nil,
            "Invalid device UUID."
        ),
        (["block_device_mapping_v2": [local]], nil, "Mapping image to local is not supported."),
        (
            ["block_device_mapping_v2": [local, device("image", "local", ["uuid": .string(image)])]], image,
            "Mapping image to local is not supported."
        ),
        (
            ["block_device_mapping_v2": [root, device("volume", "local", ["uuid": .string(image)])]], nil,
            "Mapping volume to local is not supported."
        ),
        (
            ["block_device_mapping_v2": [device("image", "volume", ["uuid": .string(image), "boot_index": 0])]], nil,
            "need to have a non-zero size"
        ),
        (["block_device_mapping_v2": [local, device("blank", "volume")]], image, "need to have non-zero size"),
        (
            ["block_device_mapping_v2": [root, device("blank", "local", ["volume_type": "x"])]], nil,
            "Specifying a volume_type with destination_type=local is not supported."
        ),
        (
            [
                "block_device_mapping_v2": [
                    device("volume", "volume", ["uuid": .string(volume), "boot_index": 0, "volume_type": "x"])
                ]
            ], nil, "Specifying volume type to existing volume is not supported."
        ),
        (
            [
                "block_device_mapping_v2": [
                    local, device("volume", "volume", ["uuid": .string(volume), "device_name": "/dev/vda"])
                ]
            ], image, "same device name as the root device vda"
        ),
        (
            [
                "block_device_mapping_v2": [
                    root, device("volume", "volume", ["uuid": .string(image), "device_name": "a b"])
                ]
            ],
            nil, "Device name contains spaces."
        ),
        (
            ["block_device_mapping_v2": [device("volume", "volume", ["uuid": "x", "boot_index": "one"])]], nil,
            "Boot index is invalid."
        ),
        (
            [
                "block_device_mapping_v2": [
                    device("volume", "volume", ["uuid": "x", "boot_index": 0, "disk_bus": "tape"])
                ]
            ],
            nil, "The provided disk bus tape is not valid."
        ),
        (["block_device_mapping_v2": [root, root]], nil, "Boot sequence"),
        (
            ["block_device_mapping_v2": [root, device("volume", "volume", ["uuid": .string(volume)])]], nil,
            "named twice"
        ),
        (
            ["block_device_mapping_v2": [root], "max_count": 2], nil,
            "Cannot attach one or more volumes to multiple instances"
        ),
        (
            [
                "block_device_mapping_v2": [
                    root, device("blank", "local", ["guest_format": "swap"]),
                    device("blank", "local", ["guest_format": "swap"])
                ]
            ], nil, "More than one swap drive requested."
        ),
        (
            ["block_device_mapping_v2": [root, device("blank", "local", ["guest_format": "ext4"])]], nil,
            "Not available here: guest_format ext4"
        ),
        (
            ["block_device_mapping_v2": [device("volume", "volume", ["uuid": "x", "device_type": "cdrom"])]], nil,
            "Not available here: device_type cdrom"
        ),
        ([:], nil, "Missing imageRef attribute")
    ]

    @Test("what is wrong is told", arguments: refusals.indices)
    func refuses(_ index: Int) throws {
        let (extra, image, words) = Self.refusals[index]
        let error = #expect(throws: APIError.self) { try Self.read(extra, minor: 67, imageRef: image) }
        #expect(error?.status == 400 && error?.message.contains(words) == true, "\(error?.message ?? "accepted")")
    }

    @Test("ephemeral and swap disks are the flavor's")
    func local() throws {
        let flavor = FlavorSnapshot(
            id: "1", name: "f", vcpus: 1, memoryMiB: 64, rootGiB: 1, ephemeralGiB: 2, swapMiB: 64, extraSpecs: [:])
        func refusal(_ disk: ServerDisk) -> String {
            do { try DiskRules.check([disk], of: flavor) } catch { return error.message }
            return ""
        }
        #expect(refusal(ServerDisk(.ephemeral)).isEmpty && refusal(ServerDisk(.ephemeral, size: 2)).isEmpty)
        #expect(refusal(ServerDisk(.ephemeral, size: 3)).hasPrefix("Ephemeral disks requested are larger"))
        #expect(refusal(ServerDisk(.ephemeral, size: 1)).contains("as large as the flavor says, 2 GiB"))
        #expect(refusal(ServerDisk(.swap, size: 64)).isEmpty)
        #expect(refusal(ServerDisk(.swap, size: 65)) == "Swap drive requested is larger than instance type allows.")
    }
}
