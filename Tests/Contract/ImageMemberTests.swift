import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("image: members")
struct ImageMemberTests {
    private struct Shared {
        let cloud: ImageMetadataCloud
        let id: String
        var path: String { "/image/v2/images/\(id)/members" }
        var mine: String { "\(path)/\(ImageMetadataCloud.strangerID)" }

        init(_ extra: [String: JSON] = [:]) async throws {
            cloud = try await ImageMetadataCloud()
            id = await cloud.image(extra)
        }

        func share() async -> Answer {
            await cloud.harness.post(path, ["member": .string(ImageMetadataCloud.strangerID)], as: .member)
        }

        func answer(_ status: String) async -> Answer {
            await cloud.harness.put(mine, ["status": .string(status)], as: .stranger)
        }
    }

    @Test("shared, accepted, rejected, removed")
    func life() async throws {
        let shared = try await Shared()
        let cloud = shared.cloud
        #expect(await cloud.show(shared.id, as: .stranger).status == 404)
        let made = await shared.share()
        #expect(made.status == 200)
        #expect(
            made.json == [
                "member_id": .string(ImageMetadataCloud.strangerID), "image_id": .string(shared.id),
                "status": "pending",
                "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
                "schema": "/v2/schemas/member"
            ])
        // A pending image can be looked at by who knows of it, and is in no list unless asked for.
        #expect(await cloud.show(shared.id, as: .stranger).status == 200)
        #expect(await cloud.list("", as: .stranger).isEmpty)
        #expect(await cloud.list("?member_status=pending", as: .stranger) == [shared.id])
        #expect(await cloud.list("?member_status=pending&visibility=shared", as: .stranger) == [shared.id])
        #expect(await cloud.list("?member_status=all", as: .stranger) == [shared.id])
        cloud.harness.clock.advance(by: .seconds(3))
        let accepted = await shared.answer("accepted")
        #expect(accepted.status == 200 && accepted.json["status"] == "accepted")
        #expect(accepted.json["updated_at"] == "2026-01-01T00:00:03Z")
        #expect(await cloud.list("", as: .stranger) == [shared.id])
        #expect(await cloud.list("?visibility=shared", as: .stranger) == [shared.id])
        let list = await cloud.harness.get(shared.path, as: .reader).json
        #expect(list["members"] == [accepted.json] && list["schema"] == "/v2/schemas/members")
        #expect(await cloud.harness.get(shared.mine, as: .reader).json == accepted.json)
        #expect(await shared.answer("rejected").status == 200)
        #expect(await cloud.list("", as: .stranger).isEmpty)
        #expect(await cloud.list("?member_status=rejected", as: .stranger) == [shared.id])
        #expect(await cloud.harness.delete(shared.mine, as: .member).status == 204)
        #expect(await cloud.show(shared.id, as: .stranger).status == 404)
        #expect(await cloud.harness.delete(shared.mine, as: .member).status == 404)
    }

    @Test("only the member answers, only the owner shares, and each sees what is its own")
    func rights() async throws {
        let shared = try await Shared()
        let cloud = shared.cloud
        _ = await shared.share()
        let owner = await cloud.harness.put(shared.mine, ["status": "accepted"], as: .member)
        #expect(owner.status == 403)
        #expect(owner.json["message"] == "You are not authorized to complete modify_member action.")
        #expect(await cloud.harness.put(shared.mine, ["status": "accepted"], as: .admin).status == 200)
        let sharing = await cloud.harness.post(shared.path, ["member": "third"], as: .stranger)
        #expect(sharing.status == 403)
        #expect(await cloud.harness.post(shared.path, ["member": "third"], as: .reader).status == 403)
        #expect(await cloud.harness.post(shared.path, ["member": "third"], as: .member).status == 200)
        #expect(await cloud.harness.get(shared.path, as: .stranger).json["members"]?.arrayValue?.count == 1)
        #expect(await cloud.harness.get(shared.path, as: .member).json["members"]?.arrayValue?.count == 2)
        #expect(await cloud.harness.get("\(shared.path)/third", as: .stranger).status == 404)
        #expect(await cloud.harness.put("\(shared.path)/third", ["status": "accepted"], as: .stranger).status == 404)
        #expect(await cloud.harness.delete(shared.mine, as: .stranger).status == 403)
        // Members use the image, they do not change it.
        #expect(await cloud.patch(shared.id, [["op": "add", "path": "/x", "value": "y"]], as: .stranger).status == 403)
    }

    @Test("refusals")
    func refusals() async throws {
        let shared = try await Shared()
        let cloud = shared.cloud
        _ = await shared.share()
        let twice = await shared.share()
        #expect(twice.status == 409)
        #expect(
            twice.json["message"]
                == .string("Member \(ImageMetadataCloud.strangerID) is duplicated for image \(shared.id)"))
        let wrong = await shared.answer("notavalidstatus")
        #expect(wrong.status == 400)
        #expect(
            wrong.json["message"]
                == "Incorrect request: Status must be \"pending\", \"accepted\" or \"rejected\".")
        for (body, message) in [
            ("{}", "Member to be added not specified"), (#"{"member": ""}"#, "Member can't be empty"),
            ("[]", "Expected a member in the form"), (#"{"member": 5}"#, "is not a project's id")
        ] {
            let answer = await cloud.harness.post(shared.path, try JSON.parse(body), as: .member)
            #expect(answer.status == 400)
            #expect(answer.json["message"]?.stringValue?.contains(message) == true)
        }
        #expect(await cloud.harness.put(shared.mine, [:], as: .stranger).json["message"] == "Status not specified")
        let unknown = await cloud.harness.get("/image/v2/images/00000000-1111-2222-3333-444455556666/members")
        #expect(unknown.status == 404)
        #expect(unknown.json["message"] == "Image 00000000-1111-2222-3333-444455556666 not found.")
    }

    @Test("only shared images have members", arguments: ["private", "community"])
    func notShared(visibility: String) async throws {
        let shared = try await Shared(["visibility": .string(visibility)])
        let made = await shared.share()
        #expect(made.status == 403)
        #expect(made.json["message"] == .string("Not allowed to create members for image \(shared.id)."))
        let list = await shared.cloud.harness.get(shared.path, as: .member)
        #expect(list.status == 403)
        #expect(
            list.json["message"]
                == .string("Not allowed to list members for image \(shared.id): Only shared images have members."))
        let shown = await shared.cloud.harness.get(shared.mine, as: .member)
        #expect(shown.status == 404 && shown.json["message"] == "Only shared images have members.")
    }

    @Test("a limited number, in either spelling of a project's id, gone with the image")
    func limit() async throws {
        let cloud = try await ImageMetadataCloud { $0.memberLimit = 1 }
        let id = await cloud.image()
        let path = "/image/v2/images/\(id)/members"
        let made = await cloud.harness.post(path, ["member": .string(TestCaller.otherProject.text)], as: .member)
        #expect(made.json["member_id"] == .string(ImageMetadataCloud.strangerID))
        let second = await cloud.harness.post(path, ["member": "another"], as: .member)
        #expect(second.status == 413)
        #expect(
            second.json["message"]?.stringValue
                == """
                Image member limit exceeded for image \(id): The limit has been exceeded on the number of allowed image \
                members for this image. Attempted: 2, Maximum: 1:
                """)
        #expect(await cloud.harness.delete("/image/v2/images/\(id)", as: .member).status == 204)
        let rest = try await cloud.harness.database.read { try $0.count("SELECT COUNT(*) FROM image_members") }
        #expect(rest == 0)
    }
}
