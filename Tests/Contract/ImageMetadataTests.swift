import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("image: create, show, update, delete")
struct ImageMetadataTests {
    @Test("a new image has everything that the schema speaks of")
    func create() async throws {
        let cloud = try await ImageMetadataCloud()
        let answer = await cloud.harness.post(
            "/image/v2/images",
            [
                "name": "cirros", "disk_format": "raw", "container_format": "bare", "min_disk": 1, "min_ram": 64,
                "tags": ["b", "a", "b"], "ramdisk_id": "00000000-1111-2222-3333-444455556666", "protected": true
            ], as: .member)
        #expect(answer.status == 201)
        let image = answer.json
        #expect(image["status"] == "queued" && image["visibility"] == "shared" && image["protected"] == true)
        #expect(image["owner"] == .string(ImageMetadataCloud.projectID))
        #expect(image["tags"] == ["a", "b"] && image["min_disk"] == 1 && image["min_ram"] == 64)
        #expect(image["size"] == .null && image["os_hash_algo"] == .null && image["os_hidden"] == false)
        #expect(image["created_at"] == "2026-01-01T00:00:00Z" && image["schema"] == "/v2/schemas/image")
        #expect(image["ramdisk_id"] == "00000000-1111-2222-3333-444455556666")
        #expect(image["locations"] == nil && image["direct_url"] == nil && image["stores"] == nil)
        let id = try #require(image["id"]?.stringValue)
        #expect(image["self"] == .string("/v2/images/\(id)") && image["file"] == .string("/v2/images/\(id)/file"))
        #expect(answer.header("Location") == "https://cloud.test:8700/image/v2/images/\(id)")
        #expect(await cloud.show(id).json == image)
        #expect(await cloud.upload(id).status == 204)
        let full = await cloud.show(id).json
        #expect(full["status"] == "active" && full["size"] == 9 && full["os_hash_algo"] == "sha512")
        #expect(
            full["os_hash_value"]?.stringValue?.utf8.count == 128 && full["checksum"]?.stringValue?.utf8.count == 32)
    }

    static let badBodies: [(String, Int, String)] = [
        (
            #"{"container_format": "wrong"}"#, 400,
            "Provided object does not match schema 'image': 'wrong' is not one of"
        ),
        (#"{"disk_format": "wrong"}"#, 400, "'wrong' is not one of [None, 'raw',"),
        (#"{"name": 5}"#, 400, "5 is not of type 'null', 'string'. Failed validating 'type' on instance['name']"),
        (#"{"visibility": "secret"}"#, 400, "'secret' is not one of ['community', 'public', 'private', 'shared']"),
        (#"{"protected": "yes"}"#, 400, "'yes' is not of type 'boolean'"),
        (#"{"tags": "x"}"#, 400, "'x' is not of type 'array'"), (#"{"tags": [5]}"#, 400, "5 is not of type 'string'"),
        (#"{"min_disk": -1}"#, 400, "Invalid value '-1' for parameter 'min_disk': Cannot be a negative value"),
        (#"{"min_ram": 4294967296}"#, 400, "'min_ram' value out of range"), (#"{"min_ram": 1.5}"#, 400, "'integer'"),
        (#"{"id": "not-a-uuid"}"#, 400, "does not match"),
        (#"{"id": "00000000111122223333444455556666"}"#, 400, "does not match"),
        (#"{"owner": "nobody"}"#, 400, "Owner 'nobody'"), (#"{"my_property": 5}"#, 400, "5 is not of type 'string'"),
        (#"{"my_property": null}"#, 400, "None is not of type 'string'"), ("[]", 400, "Malformed JSON"),
        (#"{"status": "nonsense"}"#, 400, "is not one of"),
        (#"{"status": "active"}"#, 403, "Attribute 'status' is read-only."),
        (#"{"checksum": "0"}"#, 403, "Attribute 'checksum' is read-only."),
        (#"{"created_at": "now"}"#, 403, "Attribute 'created_at' is read-only."),
        (#"{"self": 5}"#, 403, "Attribute 'self' is read-only."),
        (#"{"direct_url": "x"}"#, 403, "Attribute 'direct_url' is read-only."),
        (#"{"deleted": "x"}"#, 403, "Attribute 'deleted' is reserved."),
        (#"{"locations": []}"#, 403, "Attribute 'locations' is reserved."),
        (#"{"os_glance_foo": "bar"}"#, 403, "Attribute 'os_glance_foo' is reserved."),
        (#"{"visibility": "public"}"#, 403, "You are not authorized to complete publicize_image action."),
        (#"{"owner": "22222222222242228222222222222222"}"#, 403, "You are not permitted to create images owned by")
    ]

    @Test("what no image can be made of is refused with a reason", arguments: badBodies)
    func refusedCreate(body: String, status: Int, message: String) async throws {
        let cloud = try await ImageMetadataCloud()
        let answer = await cloud.harness.post("/image/v2/images", try JSON.parse(body), as: .member)
        #expect(answer.status == status)
        #expect(answer.json["message"]?.stringValue?.contains(message) == true, "\(answer.json.text)")
        #expect(await cloud.list("?visibility=all").isEmpty)
    }

    @Test("readers create nothing, the same id is made once, long names of properties are refused")
    func moreRefusals() async throws {
        let cloud = try await ImageMetadataCloud()
        let body: JSON = ["id": "00000000-1111-2222-3333-444455556666"]
        #expect(await cloud.harness.post("/image/v2/images", body, as: .reader).status == 403)
        #expect(await cloud.harness.post("/image/v2/images", body, as: .member).status == 201)
        let again = await cloud.harness.post("/image/v2/images", body, as: .member)
        #expect(again.status == 409)
        #expect(again.json["message"] == "Image ID 00000000-1111-2222-3333-444455556666 already exists!")
        let long = await cloud.harness.post(
            "/image/v2/images", .object([String(repeating: "x", count: 256): "y"]), as: .member)
        #expect(long.json["message"] == "Custom property should not be greater than 255 characters.")
        #expect(long.status == 400)
    }

    @Test("limits on the number of properties and tags")
    func limits() async throws {
        let cloud = try await ImageMetadataCloud {
            $0.propertyLimit = 2
            $0.tagLimit = 1
        }
        let id = await cloud.image(["a": "1", "b": "2", "tags": ["x"]])
        let property = await cloud.patch(id, [["op": "add", "path": "/c", "value": "3"]])
        #expect(property.status == 413)
        #expect(
            property.json["message"]
                == "The limit has been exceeded on the number of allowed image properties. Attempted: 3, Maximum: 2")
        let tag = await cloud.harness.put("/image/v2/images/\(id)/tags/y", nil, as: .member)
        #expect(tag.status == 413)
        #expect(await cloud.harness.put("/image/v2/images/\(id)/tags/x", nil, as: .member).status == 204)
        let swapped = await cloud.patch(
            id, [["op": "remove", "path": "/a"], ["op": "add", "path": "/c", "value": "3"]])
        #expect(swapped.status == 200)
    }

    @Test("what the properties of one image weigh is bounded, however many there are")
    func propertyBytes() async throws {
        let cloud = try await ImageMetadataCloud()
        let long = JSON.string(String(repeating: "x", count: 65_000))
        let id = await cloud.image(["a": long])
        let more = await cloud.patch(id, [["op": "add", "path": "/b", "value": long]])
        #expect(more.status == 413)
        let made = await cloud.harness.post("/image/v2/images", ["a": long, "b": long], as: .member)
        #expect(made.status == 413)
        #expect(await cloud.patch(id, [["op": "add", "path": "/b", "value": "short"]]).status == 200)
    }

    @Test("the id of a deleted image is never another image's", arguments: [true, false])
    func formerIDs(isSameProject: Bool) async throws {
        let cloud = try await ImageMetadataCloud()
        let body: JSON = ["id": "00000000-1111-2222-3333-444455556666", "visibility": "public"]
        let path = "/image/v2/images/00000000-1111-2222-3333-444455556666"
        #expect(await cloud.harness.post("/image/v2/images", body, as: .admin).status == 201)
        #expect(await cloud.harness.delete(path, as: .admin).status == 204)
        let again: JSON = ["id": "00000000-1111-2222-3333-444455556666", "name": "good"]
        let refused = await cloud.harness.post("/image/v2/images", again, as: isSameProject ? .admin : .member)
        #expect(refused.status == 409)
        #expect(refused.json["message"] == "Image ID 00000000-1111-2222-3333-444455556666 already exists!")
        #expect(await cloud.harness.get(path, as: .admin).status == 404)
    }

    @Test("an id that the service made is never a client's to choose, and is not remembered")
    func madeIDs() async throws {
        let cloud = try await ImageMetadataCloud()
        for _ in 0..<20 {
            let id = await cloud.image()
            #expect(await cloud.harness.post("/image/v2/images", ["id": JSON(id)], as: .stranger).status == 409)
            #expect(await cloud.harness.delete("/image/v2/images/\(id)", as: .member).status == 204)
            #expect(await cloud.harness.post("/image/v2/images", ["id": JSON(id)], as: .stranger).status == 409)
        }
        let remembered = try await cloud.harness.database.read { try $0.count("image_former_ids", .always) }
        #expect(remembered == 0)
        for _ in 0..<200 {
            let chosen = ImageID.random().text
            #expect(await cloud.harness.post("/image/v2/images", ["id": JSON(chosen)], as: .stranger).status == 201)
            #expect(await cloud.harness.delete("/image/v2/images/\(chosen)", as: .stranger).status == 204)
        }
    }

    @Test("a project that gave back a thousand chosen ids leaves the choice to the service; others go on choosing")
    func mostFormerIDs() async throws {
        let cloud = try await ImageMetadataCloud()
        try await cloud.harness.database.write { transaction in
            for _ in 0..<1_000 {
                try transaction.execute(
                    "INSERT INTO image_former_ids (uuid, project) VALUES (?, ?)",
                    [ImageID.random(), TestCaller.project.compact])
            }
        }
        let body: JSON = ["id": JSON(ImageID.random().text)]
        #expect(await cloud.harness.post("/image/v2/images", body, as: .member).status == 403)
        #expect(await cloud.harness.post("/image/v2/images", [:], as: .member).status == 201)
        #expect(await cloud.harness.post("/image/v2/images", body, as: .stranger).status == 201)
    }

    @Test("both dialects of json-patch")
    func patch() async throws {
        let cloud = try await ImageMetadataCloud()
        let id = await cloud.image(["color": "red"])
        cloud.harness.clock.advance(by: .seconds(5))
        let old = await cloud.harness.patch(
            "/image/v2/images/\(id)",
            [["replace": "/name", "value": "renamed"], ["add": "/size~1of", "value": "x"], ["remove": "/color"]],
            as: .member, ["Content-Type": "application/openstack-images-v2.0-json-patch"])
        #expect(old.status == 200)
        #expect(old.json["name"] == "renamed" && old.json["size/of"] == "x" && old.json["color"] == nil)
        #expect(old.json["updated_at"] == "2026-01-01T00:00:05Z" && old.json["created_at"] == "2026-01-01T00:00:00Z")
        let there = await cloud.harness.patch(
            "/image/v2/images/\(id)", [["add": "/name", "value": "again"]], as: .member,
            ["Content-Type": "application/openstack-images-v2.0-json-patch"])
        #expect(there.status == 409)
        let new = await cloud.patch(id, [["op": "add", "path": "/name", "value": "again"]])
        #expect(new.json["name"] == "again")
        let none = await cloud.patch(id, [])
        #expect(none.status == 200 && none.json == new.json)
        let type = await cloud.harness.patch("/image/v2/images/\(id)", [], as: .member)
        #expect(type.status == 415)
        #expect(type.header("Accept-Patch")?.contains("v2.1-json-patch") == true)
    }

    @Test("one wrong change undoes the patch")
    func atomic() async throws {
        let cloud = try await ImageMetadataCloud()
        let id = await cloud.image()
        let answer = await cloud.patch(
            id, [["op": "replace", "path": "/name", "value": "x"], ["op": "remove", "path": "/gone"]])
        #expect(answer.status == 409)
        #expect(answer.json["message"] == "Property gone does not exist.")
        #expect(await cloud.show(id).json["name"] == "image")
    }

    static let locationChanges: [(String, Int, String)] = [
        (#"{"op": "replace", "path": "/locations", "value": []}"#, 403, "Cannot set locations to empty list."),
        (
            #"{"op": "replace", "path": "/locations", "value": [{"url": "http://x", "metadata": {}}]}"#, 403,
            "It's not allowed to update locations if locations are invisible."
        ),
        (
            #"{"op": "add", "path": "/locations/-", "value": {"url": "http://x", "metadata": {}}}"#, 403,
            "It's not allowed to add locations if locations are invisible."
        ),
        (
            #"{"op": "add", "path": "/locations/-", "value": {"url": "http://x"}}"#, 400,
            "'metadata' is a required property"
        ),
        (#"{"op": "add", "path": "/locations", "value": []}"#, 400, "Invalid JSON pointer for this resource"),
        (#"{"op": "remove", "path": "/locations/0"}"#, 403, "You are not authorized to complete delete_image_location")
    ]

    @Test("locations are the service's own", arguments: locationChanges)
    func locations(operation: String, status: Int, message: String) async throws {
        let cloud = try await ImageMetadataCloud()
        let id = await cloud.image()
        let answer = await cloud.patch(id, [try JSON.parse(operation)])
        #expect(answer.status == status)
        #expect(answer.json["message"]?.stringValue?.contains(message) == true, "\(answer.json.text)")
    }

    @Test("locations are shown where the operator says so, and to administrators only while an image is out of use")
    func shownLocations() async throws {
        let cloud = try await ImageMetadataCloud {
            $0.showsLocations = true
            $0.showsDirectURL = true
        }
        let id = await cloud.image()
        #expect(await cloud.show(id).json["locations"] == [])
        _ = await cloud.upload(id)
        let image = await cloud.show(id).json
        let url = try #require(image["direct_url"])
        #expect(image["locations"] == [["url": url, "metadata": [:]]])
        #expect(await cloud.harness.post("/image/v2/images/\(id)/actions/deactivate", nil, as: .member).status == 204)
        let hidden = await cloud.show(id).json
        #expect(hidden["locations"] == [] && hidden["direct_url"] == nil)
        #expect(await cloud.show(id, as: .admin).json["direct_url"] == url)
    }

    @Test("formats are fixed once there is data; owners change by administrators only")
    func fixedFields() async throws {
        let cloud = try await ImageMetadataCloud()
        let id = await cloud.image()
        #expect(await cloud.patch(id, [["op": "replace", "path": "/disk_format", "value": "iso"]]).status == 200)
        #expect(await cloud.patch(id, [["op": "replace", "path": "/disk_format", "value": "raw"]]).status == 200)
        _ = await cloud.upload(id)
        let format = await cloud.patch(id, [["op": "replace", "path": "/disk_format", "value": "raw"]])
        #expect(format.status == 403)
        #expect(format.json["message"] == "Attribute disk_format can be only replaced for a queued image.")
        let change: JSON = [["op": "replace", "path": "/owner", "value": .string(ImageMetadataCloud.strangerID)]]
        let owner = await cloud.patch(id, change)
        #expect(owner.status == 403)
        #expect(owner.json["message"] == "Owner can't be updated by non admin.")
        #expect(await cloud.patch(id, change, as: .admin).json["owner"] == .string(ImageMetadataCloud.strangerID))
        #expect(await cloud.show(id).status == 404)
        #expect(await cloud.show(id, as: .stranger).status == 200)
    }

    @Test("deletion: protected, foreign, unknown and gone")
    func delete() async throws {
        let cloud = try await ImageMetadataCloud()
        let id = await cloud.image(["protected": true])
        let kept = await cloud.harness.delete("/image/v2/images/\(id)", as: .member)
        #expect(kept.status == 403)
        #expect(kept.json["message"] == .string("Image \(id) is protected and cannot be deleted."))
        #expect(kept.json["code"] == "403 Forbidden" && kept.json["title"] == "Forbidden")
        #expect(await cloud.harness.delete("/image/v2/images/\(id)", as: .stranger).status == 404)
        #expect(await cloud.patch(id, [["op": "replace", "path": "/protected", "value": false]]).status == 200)
        #expect(await cloud.harness.delete("/image/v2/images/\(id)", as: .reader).status == 403)
        #expect(await cloud.harness.delete("/image/v2/images/\(id)", as: .member).status == 204)
        let gone = await cloud.harness.delete("/image/v2/images/\(id)", as: .member)
        #expect(gone.status == 404 && gone.json["message"] == .string("Failed to find image \(id) to delete"))
        #expect(await cloud.show("not-a-uuid").json["message"] == "No image found with ID not-a-uuid")
        #expect(await cloud.harness.get("/image/v2/images/", as: .member).status == 404)
        #expect(await cloud.harness.delete("/image/v2/images/", as: .member).status == 404)
    }

    @Test("deactivation: by members of the project, without data for others than administrators")
    func deactivate() async throws {
        let cloud = try await ImageMetadataCloud()
        let id = await cloud.image(["visibility": "community"])
        let path = "/image/v2/images/\(id)/actions"
        let early = await cloud.harness.post("\(path)/deactivate", nil, as: .member)
        #expect(early.status == 403)
        #expect(early.json["message"] == "Not allowed to deactivate image in status 'queued'")
        _ = await cloud.upload(id)
        #expect(await cloud.harness.post("\(path)/deactivate", nil, as: .stranger).status == 403)
        #expect(await cloud.harness.post("\(path)/deactivate", nil, as: .reader).status == 403)
        #expect(await cloud.harness.post("\(path)/deactivate", nil, as: .member).status == 204)
        #expect(await cloud.harness.post("\(path)/deactivate", nil, as: .member).status == 204)
        #expect(await cloud.show(id).json["status"] == "deactivated")
        let file = "/image/v2/images/\(id)/file"
        let refused = await cloud.harness.get(file, as: .member)
        #expect(refused.status == 403)
        #expect(
            refused.json["message"]
                == "The requested image has been deactivated. Image data download is forbidden.")
        #expect(await cloud.harness.get(file, as: .admin).bytes == Array("some data".utf8))
        #expect(await cloud.harness.post("\(path)/reactivate", nil, as: .member).status == 204)
        #expect(await cloud.harness.get(file, as: .member).status == 200)
        #expect(await cloud.harness.get(file, as: .stranger).status == 200)
        #expect(await cloud.harness.get(file, as: .reader).status == 403)
    }

    @Test("tags, one at a time")
    func tags() async throws {
        let cloud = try await ImageMetadataCloud()
        let id = await cloud.image()
        let path = "/image/v2/images/\(id)/tags"
        #expect(await cloud.harness.put("\(path)/a%20b", nil, as: .member).status == 204)
        #expect(await cloud.show(id).json["tags"] == ["a b"])
        #expect(
            await cloud.harness.put("\(path)/\(String(repeating: "t", count: 256))", nil, as: .member).status == 400)
        #expect(await cloud.harness.delete("\(path)/other", as: .member).status == 404)
        #expect(await cloud.harness.delete("\(path)/a%20b", as: .member).status == 204)
        #expect(await cloud.show(id).json["tags"] == [])
        #expect(await cloud.harness.put("\(path)/x", nil, as: .stranger).status == 404)
        let unknown = await cloud.harness.put(
            "/image/v2/images/00000000-1111-2222-3333-444455556666/tags/x", nil, as: .member)
        #expect(unknown.status == 404)
    }
}
