import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: rebuilds and rescues")
struct ComputeRebuildTests {
    private static let image = JSON.string(ComputeCloud.image.text)

    @Test("a rebuild makes a fresh disk and changes what it says, and nothing else")
    func rebuild() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running(["metadata": ["old": "1"]])
        let before = try #require(try await cloud.spec(id))
        let answer = await cloud.act(
            id,
            [
                "rebuild": [
                    "imageRef": Self.image, "name": "new", "metadata": ["k": "v"], "adminPass": "secret",
                    "accessIPv4": "192.0.2.9", "OS-DCF:diskConfig": "AUTO"
                ]
            ])
        #expect(answer.status == 202)
        let server = answer.json["server"]
        #expect(server?["status"] == "REBUILD" && server?["adminPass"] == "secret" && server?["name"] == "new")
        #expect(server?["metadata"] == ["k": "v"] && server?["accessIPv4"] == "192.0.2.9")
        #expect(server?["OS-EXT-STS:vm_state"] == nil && server?["key_name"] == nil && server?["user_data"] == nil)
        #expect(answer.headers[.location]?.hasSuffix("/compute/v2.1/servers/\(id)") == true)
        let spec = try #require(try await cloud.spec(id))
        #expect(spec.rootDiskVersion == before.rootDiskVersion + 1 && spec.power == .running)
        #expect(spec.adminPassword == "secret" && spec.interfaces == before.interfaces)
        try await cloud.report(id, .applying, power: .shutdown)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "rebuild_spawning")
        #expect(await cloud.list("?status=REBUILD") == [id.text])
        try await cloud.report(id, .ready, power: .running)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await cloud.actions(id).first?["action"] == "rebuild")
    }

    @Test("a stopped server stays stopped, and one in ERROR runs")
    func states() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        _ = await cloud.act(id, ["os-stop": nil])
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(await cloud.act(id, ["rebuild": ["imageRef": Self.image]]).status == 202)
        #expect(try await cloud.spec(id)?.power == .stopped)
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(await cloud.status(id) == "SHUTOFF")
        _ = await cloud.act(id, ["os-resetState": ["state": "error"]], as: .admin)
        #expect(await cloud.act(id, ["rebuild": ["imageRef": Self.image]]).status == 202)
        try await cloud.report(id, .ready, power: .running)
        #expect(await cloud.status(id) == "ACTIVE")
    }

    @Test("what was there is gone: a rebuild that fails or ends in silence is an ERROR", arguments: [true, false])
    func failure(isSilent: Bool) async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        _ = await cloud.act(id, ["rebuild": ["imageRef": Self.image]])
        if isSilent {
            cloud.harness.clock.advance(by: .seconds(601))
            try await cloud.expire()
        } else {
            try await cloud.report(
                id, .failed, power: .none,
                error: StatusError(code: .badImage, message: "The image is damaged.", detail: "qcow2"))
        }
        let shown = await cloud.show(id)
        #expect(shown["status"] == "ERROR" && shown["OS-EXT-STS:task_state"] == .null)
        #expect(shown["fault"]?["message"]?.stringValue?.isEmpty == false)
        #expect(try await cloud.entry(id)?.isWanted == true)
    }

    @Test("what each version adds is there from it on")
    func versions() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        func rebuild(_ extra: [String: JSON], minor: Int) async throws -> Answer {
            let body = extra.merging(["imageRef": Self.image]) { first, _ in first }
            let answer = await cloud.act(id, ["rebuild": .object(body)], minor: minor)
            if answer.status == 202 { try await cloud.report(id, .ready, power: .running) }
            return answer
        }
        #expect(try await rebuild(["description": "d"], minor: 18).status == 400)
        #expect(try await rebuild(["description": "d"], minor: 19).json["server"]?["description"] == "d")
        #expect(try await rebuild(["description": nil], minor: 19).json["server"]?["description"] == .null)
        #expect(try await rebuild(["key_name": nil], minor: 53).status == 400)
        #expect(try await rebuild(["key_name": "none of mine"], minor: 54).status == 400)
        let keyed = try await rebuild(["key_name": nil], minor: 54)
        #expect(keyed.json["server"]?["key_name"] == .null && keyed.json["server"]?["user_data"] == nil)
        #expect(try await rebuild(["user_data": "IyE="], minor: 56).status == 400)
        #expect(try await rebuild(["user_data": "IyE="], minor: 57).json["server"]?["user_data"] == "IyE=")
        #expect(try await cloud.spec(id)?.userData == Array("#!".utf8))
        #expect(try await rebuild(["personality": []], minor: 57).status == 400)
        #expect(try await rebuild(["trusted_image_certificates": nil], minor: 63).status == 202)
        #expect(try await rebuild(["trusted_image_certificates": ["x"]], minor: 63).status == 400)
        #expect(try await rebuild([:], minor: 75).json["server"]?["OS-EXT-STS:vm_state"] == "active")
        #expect(try await rebuild(["hostname": "other"], minor: 89).status == 400)
        let named = try await rebuild(["hostname": "other"], minor: 90)
        #expect(named.json["server"]?["OS-EXT-SRV-ATTR:hostname"] == "other")
        #expect(try await cloud.spec(id)?.hostname == "other")
    }

    @Test("what cannot be rebuilt is refused in Nova's words and untouched")
    func refusals() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let before = try await cloud.entry(id)
        let missing = JSON.string(AnyID.random().text)
        let cases: [(body: JSON, status: Int, message: String)] = [
            (["imageRef": missing], 400, "Cannot find image for rebuild"),
            (
                ["imageRef": Self.image, "preserve_ephemeral": true], 400,
                "The current driver does not support preserving ephemeral partitions."
            )
        ]
        for (body, status, message) in cases {
            let answer = await cloud.act(id, ["rebuild": body])
            #expect(answer.status == status && answer.json["badRequest"]?["message"] == .string(message))
        }
        #expect(await cloud.act(id, ["rebuild": [:]]).status == 400)
        #expect(await cloud.act(id, ["rebuild": ["imageRef": "no id"]]).status == 400)
        #expect(await cloud.act(id, ["rebuild": ["imageRef": Self.image, "extra": 1]]).status == 400)
        _ = await cloud.act(id, ["lock": nil])
        #expect(await cloud.act(id, ["rebuild": ["imageRef": Self.image]]).status == 409)
        _ = await cloud.act(id, ["unlock": nil])
        #expect(try await cloud.entry(id) == before)
        _ = await cloud.act(id, ["pause": nil])
        let busy = await cloud.act(id, ["rebuild": ["imageRef": Self.image]])
        #expect(
            busy.json["conflictingRequest"]?["message"]
                == .string("Cannot 'rebuild' instance \(id) while it is in task_state pausing"))
    }

    @Test("an image that asks for what the server's host lacks is refused before anything is lost")
    func lacking() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let other = JSON.string(AnyID.random().text)
        _ = await cloud.harness.post(
            "/image/v2/images",
            [
                "id": other, "name": "arm", "disk_format": "raw", "container_format": "bare", "visibility": "public",
                "hw_architecture": "aarch64"
            ], as: .admin)
        _ = await cloud.harness.send(
            .put, "/image/v2/images/\(other.stringValue ?? "")/file", bytes: Array("arm".utf8),
            token: TestCaller.admin.token, headers: ["Content-Type": "application/octet-stream"])
        let answer = await cloud.act(id, ["rebuild": ["imageRef": other]])
        #expect(answer.status == 400)
        #expect(answer.json["badRequest"]?["message"]?.stringValue?.contains("COMPUTE_ARCH_AARCH64") == true)
        #expect(await cloud.status(id) == "ACTIVE")
    }

    // MARK: Rescue

    @Test("a rescued guest starts from another disk, and from its own again")
    func rescue() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let answer = await cloud.act(id, ["rescue": ["adminPass": "help"]])
        #expect(answer.status == 200 && answer.json == ["adminPass": "help"])
        let rescue = try #require(try await cloud.spec(id)?.rescue)
        #expect(rescue.version == 1 && rescue.adminPassword == "help" && rescue.image.id == ComputeCloud.image)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "rescuing")
        try await cloud.report(id, .ready, power: .running)
        #expect(await cloud.status(id) == "RESCUE")
        #expect(try await cloud.spec(id)?.rescue == rescue)
        for action in ["os-stop", "pause", "suspend"] {
            #expect(await cloud.act(id, [action: nil]).status == 409, "\(action)")
        }
        let again = await cloud.act(id, ["rescue": nil])
        #expect(
            again.json["conflictingRequest"]?["message"]
                == .string("Cannot 'rescue' instance \(id) while it is in vm_state rescued"))
        #expect(await cloud.act(id, ["unrescue": nil]).status == 202)
        #expect(try await cloud.spec(id)?.rescue == nil)
        try await cloud.report(id, .ready, power: .running)
        #expect(await cloud.status(id) == "ACTIVE")
        let second = await cloud.act(id, ["rescue": ["rescue_image_ref": .string(ComputeCloud.image.text)]])
        #expect(second.status == 200 && second.json["adminPass"]?.stringValue?.count == 12)
        #expect(try await cloud.spec(id)?.rescue?.version == 2)
    }

    @Test("a rescue that fails leaves the server as it was; an image that cannot be used is refused")
    func rescueFailure() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let missing = AnyID.random().text
        let refused = await cloud.act(id, ["rescue": ["rescue_image_ref": .string(missing)]])
        #expect(refused.status == 400)
        #expect(
            refused.json["badRequest"]?["message"]
                == .string("Requested rescue image '\(missing)' is not supported"))
        _ = await cloud.act(id, ["os-stop": nil])
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(await cloud.act(id, ["rescue": nil]).status == 200)
        try await cloud.report(
            id, .failed, power: .shutdown, error: StatusError(code: .noSpace, message: "No space.", detail: ""))
        #expect(await cloud.status(id) == "SHUTOFF")
        let spec = try await cloud.spec(id)
        #expect(spec?.rescue == nil && spec?.power == .stopped)
    }
}

extension ComputeCloud {
    /// The ids that a list shows.
    func list(_ query: String, as caller: TestCaller = .member) async -> [String] {
        (await harness.get("/compute/v2.1/servers\(query)", as: caller).json["servers"]?.arrayValue ?? [])
            .compactMap { $0["id"]?.stringValue }
    }
}
