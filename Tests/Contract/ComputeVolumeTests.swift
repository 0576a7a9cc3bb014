import CoordinatorBlockStorage
import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: volumes of servers that are there")
struct ComputeVolumeTests {
    private static func path(_ id: ServerID, _ volume: String = "") -> String {
        "/compute/v2.1/servers/\(id)/os-volume_attachments" + (volume.isEmpty ? "" : "/\(volume)")
    }

    private static func base(_ caller: TestCaller) -> String {
        "/volume/v3/\(caller == .stranger ? TestCaller.otherProject.compact : TestCaller.project.compact)"
    }

    /// A volume that is there, on the first host.
    private static func volume(_ cloud: ComputeCloud, as caller: TestCaller = .member) async throws -> VolumeID {
        let made = await cloud.harness.post("\(base(caller))/volumes", ["volume": ["size": 1]], as: caller)
        guard let id = VolumeID(made.json["volume"]?["id"]?.stringValue ?? "") else {
            throw ComputeCloud.Failure(text: "\(made.status) \(made.json.text)")
        }
        try await report(cloud, id, sizeGiB: 1)
        return id
    }

    /// The host has the volume, so large.
    private static func report(_ cloud: ComputeCloud, _ id: VolumeID, sizeGiB: Int) async throws {
        let found = try await cloud.harness.database.read { reader in
            try reader.first(
                "SELECT node, generation FROM plan_entries WHERE kind = ? AND resource = ?",
                [ResourceKind.volume.rawValue, id]
            ) { (try $0.id(0) as NodeID, $0.integer(1)) }
        }
        let (node, generation) = try #require(found)
        let status = ResourceStatus(
            key: .volume(id), generation: generation, phase: .ready,
            details: .volume(VolumeDetails(sizeGiB: sizeGiB, allocatedBytes: 0)), error: nil, steps: [])
        try await cloud.hosts.say(status, from: node, at: cloud.harness.clock.now())
    }

    private static func status(_ cloud: ComputeCloud, _ id: VolumeID) async -> String {
        let shown = await cloud.harness.get("\(base(.member))/volumes/\(id)", as: .member)
        return shown.json["volume"]?["status"]?.stringValue ?? "\(shown.status)"
    }

    private static func attach(
        _ cloud: ComputeCloud, _ id: ServerID, _ members: [String: JSON], minor: Int = 1,
        as caller: TestCaller = .member
    ) async -> Answer {
        await cloud.harness.post(
            path(id), ["volumeAttachment": .object(members)], as: caller, ComputeCloud.version(minor))
    }

    /// A server on the host that has the volume, where no host exports any.
    private static func server(_ cloud: ComputeCloud, with volume: VolumeID) async throws -> ServerID {
        let shown = await cloud.harness.get("\(base(.member))/volumes/\(volume)", as: .admin)
        let host = shown.json["volume"]?["os-vol-host-attr:host"]?.stringValue?.split(separator: "@").first ?? ""
        let answer = await cloud.create(["availability_zone": .string("nova:\(host)")], as: .admin)
        let id = try ComputeCloud.id(answer)
        try await cloud.report(id, .ready, power: .running)
        return id
    }

    @Test("attached, shown, on the plan; detached once the guest has let it go")
    func life() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let volume = try await Self.volume(cloud)
        let id = try await Self.server(cloud, with: volume)
        let made = await Self.attach(cloud, id, ["volumeId": .string(volume.text)])
        #expect(made.status == 200, "\(made.json.text)")
        #expect(
            made.json["volumeAttachment"]
                == [
                    "id": .string(volume.text), "volumeId": .string(volume.text), "serverId": .string(id.text),
                    "device": "/dev/vdb"
                ])
        #expect(await Self.status(cloud, volume) == "attaching")
        let node = try await cloud.entry(id, on: cloud.first) == nil ? cloud.second : cloud.first
        #expect(try await cloud.spec(id, on: node)?.volumes.map(\.id) == [volume])
        try await cloud.report(id, .ready, power: .running, volumes: [volume])
        #expect(await Self.status(cloud, volume) == "in-use")
        #expect(
            await cloud.show(id, minor: 3)["os-extended-volumes:volumes_attached"]
                == [["id": .string(volume.text), "delete_on_termination": false]])
        let newest = await h.get(Self.path(id, volume.text), as: .member, ComputeCloud.version(89))
        #expect(newest.json["volumeAttachment"]?["id"] == nil)
        #expect(newest.json["volumeAttachment"]?["attachment_id"]?.stringValue != nil)
        #expect(await h.get(Self.path(id), as: .member).json["volumeAttachments"]?.arrayValue?.count == 1)
        #expect(await Self.attach(cloud, id, ["volumeId": .string(volume.text)]).status == 400)

        #expect(await h.delete(Self.path(id, volume.text), as: .member).status == 202)
        #expect(await Self.status(cloud, volume) == "detaching")
        try await cloud.report(id, .ready, power: .running, volumes: [volume])
        #expect(await Self.status(cloud, volume) == "detaching", "the guest has it still")
        try await cloud.report(id, .ready, power: .running)
        #expect(await Self.status(cloud, volume) == "available")
        let gone = await h.get(Self.path(id, volume.text), as: .member)
        #expect(gone.status == 404)
        #expect(await h.delete(Self.path(id, volume.text), as: .member).status == 404)
    }

    @Test("a volume that is extended under its server shows among what was done with that")
    func extended() async throws {
        let cloud = try await ComputeCloud()
        let volume = try await Self.volume(cloud)
        let id = try await Self.server(cloud, with: volume)
        _ = await Self.attach(cloud, id, ["volumeId": .string(volume.text)])
        try await cloud.report(id, .ready, power: .running, volumes: [volume])
        let answer = await cloud.harness.post(
            "\(Self.base(.member))/volumes/\(volume)/action", ["os-extend": ["new_size": 2]], as: .member,
            ["OpenStack-API-Version": "volume 3.42"])
        #expect(answer.status == 202, "\(answer.json.text)")
        let path = "/compute/v2.1/servers/\(id)/os-instance-actions"
        func action() async -> JSON? {
            await cloud.harness.get(path).json["instanceActions"]?.arrayValue?
                .first { $0["action"] == "extend_volume" }
        }
        #expect(await action() == nil)
        try await Self.report(cloud, volume, sizeGiB: 2)
        #expect(await Self.status(cloud, volume) == "in-use")
        let request = await action()?["request_id"]?.stringValue ?? ""
        let events = await cloud.harness.get("\(path)/\(request)").json["instanceAction"]?["events"]?.arrayValue
        #expect(events?.map { $0["event"] } == ["compute_extend_volume"] && events?.first?["result"] == "Success")
    }

    @Test("what the host cannot plug in is given back, and what would not go stays")
    func failure() async throws {
        let cloud = try await ComputeCloud()
        let volume = try await Self.volume(cloud)
        let id = try await Self.server(cloud, with: volume)
        _ = await Self.attach(cloud, id, ["volumeId": .string(volume.text)])
        let error = StatusError(code: .hostFailure, message: "No slot is free.", detail: "virDomainAttachDevice")
        try await cloud.report(id, .failed, power: .running, error: error)
        #expect(await Self.status(cloud, volume) != "available", "the host tries on until it has the plan without it")
        let first = try await cloud.spec(id)
        let spec = if let first { first } else { try await cloud.spec(id, on: cloud.second) }
        #expect(spec?.volumes.isEmpty == true)
        try await cloud.report(id, .ready, power: .running)
        #expect(await Self.status(cloud, volume) == "available")
        #expect(await cloud.status(id) == "ACTIVE")
        _ = await Self.attach(cloud, id, ["volumeId": .string(volume.text)])
        try await cloud.report(id, .ready, power: .running, volumes: [volume])
        _ = await cloud.harness.delete(Self.path(id, volume.text), as: .member)
        try await cloud.report(id, .failed, power: .running, error: error, volumes: [volume])
        #expect(await Self.status(cloud, volume) == "in-use")
    }

    @Test("a volume of a server that is deleted is free, or goes with it where that was wanted")
    func termination() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let volume = try await Self.volume(cloud)
        let id = try await Self.server(cloud, with: volume)
        let made = await Self.attach(
            cloud, id,
            [
                "volumeId": .string(volume.text), "delete_on_termination": true, "device": "/dev/vdd", "tag": "data"
            ], minor: 79)
        #expect(made.json["volumeAttachment"]?["delete_on_termination"] == true)
        #expect(made.json["volumeAttachment"]?["device"] == "/dev/vdd")
        #expect(made.json["volumeAttachment"]?["tag"] == "data")
        try await cloud.report(id, .ready, power: .running, volumes: [volume])
        let kept: JSON = ["volumeAttachment": ["volumeId": .string(volume.text), "delete_on_termination": false]]
        #expect(await h.put(Self.path(id, volume.text), kept, as: .member, ComputeCloud.version(85)).status == 202)
        let shown = await h.get(Self.path(id, volume.text), as: .member, ComputeCloud.version(79))
        #expect(shown.json["volumeAttachment"]?["delete_on_termination"] == false)
        let fixed: [String: JSON] = [
            "id": .string(volume.text), "serverId": .string(id.text), "device": "/dev/vdd", "tag": "data"
        ]
        for name in ["none"] + fixed.keys.sorted() {
            var members = fixed
            members["volumeId"] = .string(volume.text)
            members["delete_on_termination"] = false
            if name != "none" {
                members[name] = name.lowercased().hasSuffix("id") ? "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee" : "vde"
            }
            let answer = await h.put(
                Self.path(id, volume.text), ["volumeAttachment": .object(members)], as: .member,
                ComputeCloud.version(85))
            #expect(answer.status == (name == "none" ? 202 : 400), "\(name): \(answer.json.text)")
        }
        let swap: JSON = ["volumeAttachment": ["volumeId": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"]]
        #expect(await h.put(Self.path(id, volume.text), swap, as: .member).status == 403)
        #expect(await h.put(Self.path(id, volume.text), swap, as: .admin).status == 400)
        _ = await h.delete("/compute/v2.1/servers/\(id)", as: .member)
        try await cloud.report(id, .gone)
        #expect(await Self.status(cloud, volume) == "available")
    }

    @Test("a server that runs on another host than the volume is told so, and nothing is held for it")
    func elsewhere() async throws {
        let cloud = try await ComputeCloud()
        let volume = try await Self.volume(cloud)
        let shown = await cloud.harness.get("\(Self.base(.member))/volumes/\(volume)", as: .admin)
        let host = shown.json["volume"]?["os-vol-host-attr:host"]?.stringValue?.split(separator: "@").first ?? ""
        let names = ["host-a", "host-b"].filter { $0 != host }
        #expect(names.count == 1, "\(host)")
        let answer = await cloud.create(["availability_zone": .string("nova:\(names[0])")], as: .admin)
        let id = try ComputeCloud.id(answer)
        try await cloud.report(id, .ready, power: .running)
        let refused = await Self.attach(cloud, id, ["volumeId": .string(volume.text)])
        #expect(refused.status == 400)
        let words = refused.json["badRequest"]?["message"]?.stringValue ?? ""
        #expect(words.contains("is on host \(host), which exports no volumes"))
        #expect(words.contains("run the server there"))
        #expect(await Self.status(cloud, volume) == "available")
        #expect(await cloud.harness.get(Self.path(id), as: .member).json["volumeAttachments"] == [])
    }

    @Test("others' volumes, unknown ones, bad devices, states and locks stand in the way")
    func refusals() async throws {
        let cloud = try await ComputeCloud()
        let volume = try await Self.volume(cloud)
        let id = try await Self.server(cloud, with: volume)
        let foreign = try await Self.volume(cloud, as: .stranger)
        #expect(await Self.attach(cloud, id, ["volumeId": .string(foreign.text)]).status == 404)
        #expect(await Self.attach(cloud, id, ["volumeId": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"]).status == 404)
        #expect(await Self.attach(cloud, id, ["volumeId": "x"]).status == 400)
        #expect(await Self.attach(cloud, id, ["volumeId": .string(volume.text), "tag": "x"], minor: 48).status == 400)
        #expect(await Self.attach(cloud, id, ["volumeId": .string(volume.text), "device": "/dev/vda"]).status == 409)
        #expect(await Self.attach(cloud, id, ["volumeId": .string(volume.text), "device": "hda1"]).status == 400)
        #expect(await Self.attach(cloud, id, ["volumeId": .string(volume.text)], as: .stranger).status == 404)
        #expect(await Self.attach(cloud, id, ["volumeId": .string(volume.text)], as: .reader).status == 403)
        _ = await cloud.act(id, ["suspend": nil])
        #expect(await Self.attach(cloud, id, ["volumeId": .string(volume.text)]).status == 409)
        #expect(await Self.status(cloud, volume) == "available")
    }
}
