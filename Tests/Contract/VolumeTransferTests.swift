import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("volumes that change hands")
struct VolumeTransferTests {
    private func offer(_ id: VolumeID, _ cloud: VolumeCloud, minor: Int = 55) async -> JSON {
        let body: JSON = ["transfer": ["volume_id": .string(id.text), "name": "gift"]]
        return await cloud.post("/volume-transfers", body, minor: minor).json["transfer"] ?? .null
    }

    private func accept(
        _ offer: JSON, key: JSON, _ cloud: VolumeCloud, as caller: TestCaller = .stranger
    ) async -> Answer {
        await cloud.post(
            "/volume-transfers/\(offer["id"]?.stringValue ?? "")/accept", ["accept": ["auth_key": key]], as: caller,
            minor: 55)
    }

    @Test("a volume and its snapshots go to who knows the key, once")
    func gift() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let snapshot = try await cloud.snapshot(of: id)
        let made = await offer(id, cloud)
        VolumeShapes.check(
            made,
            .members(
                [
                    "id": .id, "name": .text, "volume_id": .id, "links": VolumeShapes.links, "created_at": .time,
                    "no_snapshots": .flag, "auth_key": .text
                ], optional: []))
        #expect(await cloud.status(id) == "awaiting-transfer")
        #expect(await cloud.delete("/volumes/\(id)").status == 400)
        #expect(await accept(made, key: "wrong", cloud).status == 400)
        let path = "/volume-transfers/\(made["id"]?.stringValue ?? "")"
        let shown = await cloud.get(path, minor: 57).json["transfer"]
        #expect(shown?["auth_key"] == nil && shown?["source_project_id"] == .string(TestCaller.project.compact))
        #expect(await cloud.get(path, as: .stranger, minor: 57).status == 404)
        #expect(await cloud.get(path, minor: 54).status == 404)

        #expect(await accept(made, key: made["auth_key"] ?? .null, cloud).status == 202)
        #expect(await accept(made, key: made["auth_key"] ?? .null, cloud).status == 404)
        #expect(await cloud.get("/volumes/\(id)").status == 404)
        #expect(await cloud.get("/volumes/\(id)", as: .stranger).json["volume"]?["status"] == "available")
        #expect(await cloud.get("/snapshots/\(snapshot)", as: .stranger).status == 200)
        #expect(await cloud.get("/volume-transfers", minor: 55).json["transfers"] == [])
    }

    @Test("an offer is withdrawn; who takes one must have room for it")
    func withdrawn() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available(["size": 5])
        let first = await offer(id, cloud)
        #expect(await offer(id, cloud) == .null)
        let path = "/os-volume-transfer/\(first["id"]?.stringValue ?? "")"
        #expect(await cloud.delete(path).status == 202)
        #expect(await cloud.status(id) == "available")
        let other = TestCaller.otherProject.compact
        let limit = await cloud.put("/os-quota-sets/\(other)", ["quota_set": ["gigabytes": 4]], as: .admin)
        #expect(limit.status == 200)
        let second = await offer(id, cloud)
        #expect(await accept(second, key: second["auth_key"] ?? .null, cloud).status == 413)
        #expect(await cloud.status(id) == "awaiting-transfer")
    }
}
