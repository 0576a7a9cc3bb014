import CoordinatorCompute
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("the body of a create call")
struct CreateServerBodyTests {
    static let image = "66666666-6666-4666-8666-666666666666"
    static let network = "44444444-4444-4444-8444-444444444444"
    static let port = "33333333-3333-4333-8333-333333333333"

    static func command(_ extra: [String: JSON], _ minor: Int, beside: [String: JSON] = [:]) throws -> CreateServer {
        var server: [String: JSON] = ["name": "web", "flavorRef": "1", "imageRef": .string(image)]
        if minor >= 37 { server["networks"] = "auto" }
        for (name, value) in extra {
            // Not by assigning `nil`, which is a JSON value, too.
            if value == "absent" { server.removeValue(forKey: name) } else { server[name] = value }
        }
        var body: [String: JSON] = ["server": .object(server)]
        body.merge(beside) { _, new in new }
        let version = Microversion(2, minor)
        return try CreateServerBody.read(.object(body), version)
            .command(version, password: "made", reservationID: "r-1")
    }

    static func refusal(_ extra: [String: JSON], _ minor: Int) -> String? {
        do {
            _ = try command(extra, minor)
            return nil
        } catch let error as APIError { return error.status == 400 ? error.message : "\(error.status)" } catch {
            return "\(error)"
        }
    }

    @Test("what is not said has its default")
    func defaults() throws {
        let command = try Self.command([:], 1)
        #expect(command.name == "web" && command.description == "web" && command.imageID == Self.image)
        #expect(command.flavorID == "1" && command.network == .automatic && command.adminPassword == "made")
        #expect(command.minCount == 1 && command.maxCount == 1 && command.diskConfig == "MANUAL")
        #expect(command.metadata.isEmpty && command.tags.isEmpty && command.schedulerHints == "{}")
        #expect(command.zone == nil && command.host == nil && !command.hasConfigDrive)
        #expect(try Self.command([:], 19).description == nil)
    }

    @Test("what is said arrives")
    func values() throws {
        let command = try Self.command(
            [
                "description": nil, "adminPass": "secret", "metadata": ["role": "web"], "config_drive": "True",
                "key_name": "mine", "min_count": "2", "max_count": 5, "user_data": "IyEvYmluL3NoCg==",
                "tags": ["a", "b", "a"], "accessIPv4": "192.0.2.1", "accessIPv6": "2001:db8::1",
                "OS-DCF:diskConfig": "AUTO", "hostname": "host.example", "flavorRef": "http://x/flavors/7?y"
            ], 94, beside: ["os:scheduler_hints": ["rack": "r"]])
        #expect(command.description == nil && command.adminPassword == "secret" && command.metadata == ["role": "web"])
        #expect(command.hasConfigDrive && command.keyName == "mine" && command.minCount == 2 && command.maxCount == 5)
        #expect(command.userData == "IyEvYmluL3NoCg==" && command.tags == ["a", "b"] && command.diskConfig == "AUTO")
        #expect(command.accessIPv4 == "192.0.2.1" && command.accessIPv6 == "2001:db8::1")
        #expect(command.hostname == "host.example" && command.flavorID == "7")
        #expect(command.schedulerHints == #"{"rack":"r"}"#)
        #expect(try Self.command(["min_count": 3], 1).maxCount == 3)
        #expect(try Self.command(["flavorRef": 7], 1).flavorID == "7")
    }

    /// What a version does not know yet, or no longer.
    static let versions: [(name: String, value: JSON, since: Int, until: Int)] = [
        ("description", "x", 19, 96), ("tags", ["x"], 52, 96), ("personality", [], 1, 56),
        ("trusted_image_certificates", nil, 63, 96), ("host", "host-a", 74, 96),
        ("hypervisor_hostname", "host-a", 74, 96), ("hostname", "web", 90, 96), ("hostname", "web.example", 94, 96)
    ]

    @Test("members come and go with versions", arguments: versions)
    func versioned(name: String, value: JSON, since: Int, until: Int) {
        for minor in Set([1, since - 1, since, until, until + 1]).filter({ (1...96).contains($0) }) {
            let isKnown = (since...until).contains(minor)
            #expect((Self.refusal([name: value], minor) == nil) == isKnown, "\(name) in 2.\(minor)")
        }
    }

    static let networks: [(JSON, Int, NetworkRequest)] = [
        ("auto", 37, .automatic), ("none", 37, .none), ([], 1, .automatic),
        (
            [["uuid": .string(network)], ["uuid": .string(network), "fixed_ip": "10.0.0.5"]], 1,
            .interfaces(
                [
                    .init(network: network, port: nil, fixedIP: nil, tag: nil),
                    .init(network: network, port: nil, fixedIP: "10.0.0.5", tag: nil)
                ], securityGroups: [])
        ),
        (
            [["port": .string(port)]], 32,
            .interfaces([.init(network: nil, port: port, fixedIP: nil, tag: nil)], securityGroups: [])
        ),
        (
            [["port": nil, "uuid": .string(network)]], 42,
            .interfaces([.init(network: network, port: nil, fixedIP: nil, tag: nil)], securityGroups: [])
        )
    ]

    private static func device(_ more: [String: JSON]) -> JSON {
        let members: [String: JSON] = [
            "source_type": "image", "destination_type": "local", "boot_index": 0, "uuid": .string(image)
        ]
        return ["block_device_mapping_v2": [.object(members.merging(more) { $1 })]]
    }

    /// What stands in `server`, what beside it, and whether the call is taken.
    static let forgotten: [(JSON, [String: JSON], Bool)] = [
        (device([:]), [:], true), (device(["device_type": "disk", "delete_on_termination": true]), [:], true),
        (device(["device_type": "cdrom"]), [:], false), (device(["tag": "root"]), [:], false),
        (device(["disk_bus": "ide"]), [:], false), (device(["guest_format": "ext4"]), [:], false),
        ([:], ["os:scheduler_hints": ["group": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"]], true),
        ([:], ["os:scheduler_hints": ["group": "mine"]], false),
        ([:], ["OS-SCH-HNT:scheduler_hints": ["different_host": ["x"]]], false),
        ([:], ["os:scheduler_hints": ["different_host": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"]], true),
        ([:], ["os:scheduler_hints": ["query": "[\">=\", \"$free_ram_mb\", 1024]"]], false),
        ([:], ["os:scheduler_hints": ["build_near_host_ip": "10.0.0.9", "cidr": "/99"]], false),
        ([:], ["os:scheduler_hints": ["build_near_host_ip": "10.0.0.9", "cidr": "/24"]], true),
        ([:], ["os:scheduler_hints": ["group": nil, "rack": "r"]], true)
    ]

    @Test("what nothing would come of is refused", arguments: forgotten.indices)
    func nothingForgotten(_ index: Int) {
        let (server, beside, isTaken) = Self.forgotten[index]
        let members = (server.objectValue ?? [:]).merging(["networks": "none"]) { own, _ in own }
        var refusal: APIError?
        do { _ = try Self.command(members, 42, beside: beside) } catch { refusal = error as? APIError }
        #expect((refusal == nil) == isTaken, "\(refusal?.message ?? "")")
        #expect(refusal == nil || refusal?.status == 400)
    }

    @Test("networks", arguments: networks)
    func requests(json: JSON, minor: Int, request: NetworkRequest) throws {
        #expect(try Self.command(["networks": json], minor).network == request)
    }

    @Test("groups go with whatever network")
    func groups() throws {
        let groups: JSON = [["name": "web"], ["name": "web"], ["name": "db"]]
        #expect(
            try Self.command(["security_groups": groups], 1).network == .interfaces([], securityGroups: ["web", "db"]))
        #expect(try Self.command(["security_groups": groups, "networks": "none"], 37).network == .none)
        #expect(
            try Self.command(["security_groups": [[:], ["name": "db"]]], 1).network
                == .interfaces([], securityGroups: ["db"]))
    }

    /// Zone as given, version, zone, host, and how the host was named.
    static let destinations: [([String: JSON], String?, String?, forced: Bool, requested: Bool)] = [
        (["availability_zone": "az"], "az", nil, false, false),
        (["availability_zone": "az:host-a"], "az", "host-a", true, false),
        (["availability_zone": ":host-a"], nil, "host-a", true, false),
        (["availability_zone": "az::node-a"], "az", "node-a", true, false),
        (["availability_zone": "az:"], "az", nil, true, false), (["host": "host-b"], nil, "host-b", false, true),
        (["hypervisor_hostname": "host-c", "availability_zone": "az"], "az", "host-c", false, true)
    ]

    @Test("where a server is to go, and whether a rule must be asked for it", arguments: destinations)
    func destination(
        extra: [String: JSON], zone: String?, host: String?, isForced: Bool, isRequested: Bool
    ) throws {
        let command = try Self.command(extra, 74)
        #expect(command.zone == zone && command.host == host)
        #expect(command.forcesHost == isForced && command.requestsHost == isRequested)
    }

    static func field(_ name: String, _ value: String, _ reason: String) -> String {
        "Invalid input for field/attribute \(name). Value: \(value). \(reason)"
    }

    static let refusals: [([String: JSON], Int, String)] = [
        (["name": "absent"], 1, "'name' is a required property"), (["name": 7], 1, "7 is not of type 'string'"),
        (["name": " web"], 1, "Can not start or end with whitespace."), (["name": "a\u{7}b"], 1, "printable"),
        (["name": .string(String(repeating: "x", count: 256))], 1, "is too long"),
        (["networks": "absent"], 37, "'networks' is a required property"),
        (["networks": "some"], 37, "is not valid under any of the given schemas"),
        (["networks": [["uuid": "no"]]], 1, "Bad networks format: network uuid is not in proper format (no)"),
        (["networks": [[:]]], 1, "Bad network format: missing 'uuid'"),
        (["networks": [["port": .string(port)], ["port": .string(port)]]], 1, "was specified twice"),
        (["networks": [["port": .string(port), "fixed_ip": "10.0.0.1"]]], 1, "cannot be used with port"),
        (["networks": [["uuid": .string(network), "tag": "x"]]], 40, "is not valid under any of the given schemas"),
        (["imageRef": ""], 1, "Missing imageRef attribute"), (["min_count": 0], 1, "0 is less than the minimum of 1"),
        (["min_count": "x"], 1, "'x' does not match '^[0-9]+$'"),
        (["min_count": 3, "max_count": 2], 1, "min_count must be <= max_count"),
        (["config_drive": "maybe"], 1, "'maybe' is not one of"), (["user_data": "%%"], 1, "'%%' is not a 'base64'"),
        (["accessIPv4": "::1"], 1, "'::1' is not a 'ipv4'"), (["accessIPv6": "1.2.3.4"], 1, "is not a 'ipv6'"),
        (["metadata": ["a/b": "x"]], 1, "Additional properties are not allowed ('a/b' was unexpected)"),
        (["metadata": ["a": 1]], 1, field("a", "1", "1 is not of type 'string'")),
        (["tags": ["a,b"]], 52, "does not match '^[^,/]*$'"), (["tags": [""]], 52, "'' is too short"),
        (["hostname": "web.example"], 90, "does not match"), (["hostname": "-web"], 94, "does not match"),
        (["availability_zone": "a:b:c:d"], 1, "Unable to parse availability_zone."),
        (["availability_zone": "a:b", "host": "c"], 74, "mutually exclusive"),
        (["block_device_mapping": [["device_name": "vdb"]]], 1, "Invalid: Unrecognized legacy format."),
        (["block_device_mapping_v2": [["source_type": "volume"]]], 1, "Invalid: Missing device UUID."),
        (["block_device_mapping_v2": [["source_type": "tape"]]], 1, "'tape' is not one of"),
        (["personality": [["path": "/etc/motd", "contents": "eA=="]]], 1, "Personality files are not supported"),
        (["trusted_image_certificates": ["x"]], 63, "Image signature certificate validation is not available"),
        (["bogus": 1], 1, "Additional properties are not allowed ('bogus' was unexpected)")
    ]

    @Test("what is wrong is told", arguments: refusals)
    func refuses(extra: [String: JSON], minor: Int, words: String) {
        let message = Self.refusal(extra, minor) ?? "accepted"
        #expect(message.contains(words), "\(message)")
    }

    @Test("the image may come as the root device")
    func device() throws {
        let device: JSON = [
            "source_type": "image", "destination_type": "local", "boot_index": 0, "uuid": .string(Self.image),
            "delete_on_termination": true
        ]
        #expect(try Self.command(["block_device_mapping_v2": [device]], 1).imageID == Self.image)
        #expect(
            Self.refusal(["imageRef": "", "block_device_mapping_v2": [device]], 1)
                == "Block Device Mapping is Invalid: Mapping image to local is not supported.")
        #expect(
            Self.refusal(["block_device_mapping_v2": [device], "block_device_mapping": [[:]]], 1)?
                .hasPrefix("Using different block_device_mapping syntaxes") == true)
    }

    @Test("lists have an end", arguments: ["networks", "security_groups", "block_device_mapping_v2", "personality"])
    func bounds(name: String) {
        let many = JSON.array(Array(repeating: [:], count: 65))
        #expect(Self.refusal([name: many], 1)?.hasSuffix("is too long") == true)
    }
}
