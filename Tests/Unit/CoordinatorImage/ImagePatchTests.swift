import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("json-patch of images")
struct ImagePatchTests {
    static let type = "application/openstack-images-v2.1-json-patch"

    static func apply(_ body: JSON, to image: Image = Image(id: .init(high: 1, low: 1), owner: nil, at: 0)) throws
        -> Image
    {
        var image = image
        try ImagePatch(contentType: type, body: body).apply(to: &image)
        return image
    }

    @Test("add, replace and remove")
    func good() throws {
        let image = try Self.apply([
            ["op": "replace", "path": "/name", "value": "new"], ["op": "add", "path": "/os_type", "value": "linux"],
            ["op": "add", "path": "/a~1b", "value": "slash"], ["op": "add", "path": "/gone", "value": "x"],
            ["op": "remove", "path": "/gone"], ["op": "replace", "path": "/tags", "value": ["b", "a", "b"]]
        ])
        #expect(image.name == "new")
        #expect(image.properties == ["os_type": "linux", "a/b": "slash"])
        #expect(image.tags == ["a", "b"])
    }

    static let refusals: [(String, Int)] = [
        (#"{"op": "replace", "path": "/id", "value": "x"}"#, 403),
        (#"{"op": "replace", "path": "/unknown", "value": "x"}"#, 409),
        (#"{"op": "remove", "path": "/name"}"#, 403), (#"{"op": "remove", "path": "/unknown"}"#, 409),
        (#"{"op": "move", "path": "/name"}"#, 400), (#"{"op": "add", "path": "name", "value": "x"}"#, 400),
        (#"{"op": "add", "path": "/a/b", "value": "x"}"#, 400), (#"{"op": "add", "path": "/x"}"#, 400),
        (#"{"op": "replace", "path": "/min_disk", "value": -1}"#, 400),
        (#"{"op": "replace", "path": "/min_disk", "value": "1"}"#, 400),
        (#"{"op": "add", "path": "/size", "value": 1}"#, 403),
        (#"{"op": "add", "path": "/locations", "value": []}"#, 403), ("5", 400)
    ]

    @Test("refusals, with the service's status", arguments: refusals)
    func refused(text: String, status: Int) throws {
        let operation = try JSON.parse(text)
        let error = #expect(throws: APIError.self) { try Self.apply([operation]) }
        #expect(error?.status == status)
    }

    @Test("the media type decides")
    func mediaType() {
        let error = #expect(throws: APIError.self) { try ImagePatch(contentType: "application/json", body: []) }
        #expect(error?.status == 415)
    }

    @Test("in: lists with quotes")
    func inLists() throws {
        #expect(try ImageQuery.members(of: "a,b") == ["a", "b"])
        #expect(try ImageQuery.members(of: "\"a,b\",c") == ["a,b", "c"])
        #expect(throws: APIError.self) { try ImageQuery.members(of: "\"open") }
    }
}
