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

    static let refusals: [(String, Int, String)] = [
        (#"{"op": "replace", "path": "/id", "value": "x"}"#, 403, "Attribute 'id' is read-only."),
        (#"{"op": "remove", "path": "/status"}"#, 403, "Attribute 'status' is read-only."),
        (#"{"op": "add", "path": "/size", "value": 1}"#, 403, "read-only"),
        (#"{"op": "add", "path": "/deleted", "value": "x"}"#, 403, "Attribute 'deleted' is reserved."),
        (#"{"op": "add", "path": "/os_glance_foo", "value": "x"}"#, 403, "is reserved"),
        (#"{"op": "replace", "path": "/unknown", "value": "x"}"#, 409, "Property unknown does not exist."),
        (#"{"op": "remove", "path": "/unknown"}"#, 409, "Property unknown does not exist."),
        (#"{"op": "remove", "path": "/name"}"#, 403, "Property name may not be removed."),
        (#"{"op": "move", "path": "/name"}"#, 400, "Invalid operation: `move`."),
        (#"{"path": "/name", "value": "x"}"#, 400, "Unable to find `op`"),
        (#"{"op": "add", "value": "x"}"#, 400, "Unable to find 'path'"),
        (#"{"op": "add", "path": 5, "value": "x"}"#, 400, "is not a string"),
        (#"{"op": "add", "path": "name", "value": "x"}"#, 400, "does not start with"),
        (#"{"op": "add", "path": "", "value": "x"}"#, 400, "does not start with"),
        (#"{"op": "add", "path": "/", "value": "x"}"#, 400, "contains adjacent"),
        (#"{"op": "add", "path": "//", "value": "x"}"#, 400, "end with"),
        (#"{"op": "add", "path": "/a/", "value": "x"}"#, 400, "end with"),
        (#"{"op": "add", "path": "/a~2", "value": "x"}"#, 400, "escape sequence"),
        (#"{"op": "add", "path": "/a~", "value": "x"}"#, 400, "escape sequence"),
        (#"{"op": "add", "path": "/a/b", "value": "x"}"#, 400, "Invalid JSON pointer for this resource: '/a/b'"),
        (#"{"op": "add", "path": "/tags/-", "value": "x"}"#, 400, "Invalid JSON pointer"),
        (#"{"op": "add", "path": "/x"}"#, 400, "requires a member named \"value\""),
        (#"{"op": "replace", "path": "/min_disk", "value": -1}"#, 400, "Cannot be a negative value"),
        (#"{"op": "replace", "path": "/min_disk", "value": "1"}"#, 400, "is not of type 'integer'"),
        (#"{"op": "replace", "path": "/visibility", "value": null}"#, 400, "None is not of type 'string'"),
        (#"{"op": "add", "path": "/locations", "value": []}"#, 400, "Invalid JSON pointer"),
        (#"{"op": "replace", "path": "/locations", "value": []}"#, 403, "Cannot set locations to empty list."),
        ("5", 400, "Operations must be JSON objects.")
    ]

    @Test("refusals, with the service's status and words", arguments: refusals)
    func refused(text: String, status: Int, message: String) throws {
        let operation = try JSON.parse(text)
        let error = #expect(throws: APIError.self) { try Self.apply([operation]) }
        #expect(error?.status == status)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    static let oldRefusals: [(String, Int)] = [
        (#"{"add": "/name", "value": "x"}"#, 409), (#"{"add": "/x", "replace": "/x", "value": "y"}"#, 400),
        (#"{"value": "y"}"#, 400), (#"{"op": "add", "path": "/x", "value": "y"}"#, 400),
        (#"{"replace": "/gone", "value": "y"}"#, 409)
    ]

    @Test("the older dialect names the verb by the member that holds the path", arguments: oldRefusals)
    func oldDialect(text: String, status: Int) throws {
        var image = Image(id: .init(high: 1, low: 1), owner: nil, at: 0)
        let type = "application/openstack-images-v2.0-json-patch; charset=utf-8"
        try ImagePatch(
            contentType: type, body: [["add": "/x", "value": "1"], ["replace": "/name", "value": "n"]]
        ).apply(to: &image)
        #expect(image.name == "n" && image.properties == ["x": "1"])
        let operation = try JSON.parse(text)
        let error = #expect(throws: APIError.self) {
            try ImagePatch(contentType: type, body: [operation]).apply(to: &image)
        }
        #expect(error?.status == status)
    }

    @Test("the media type decides", arguments: ["application/json", "", "application/openstack-images-v2.2-json-patch"])
    func mediaType(type: String) {
        let error = #expect(throws: APIError.self) { try ImagePatch(contentType: type, body: []) }
        #expect(error?.status == 415)
    }

    @Test("a patch is an array of limited length")
    func shape() {
        #expect(throws: APIError.self) { try ImagePatch(contentType: Self.type, body: ["op": "add"]) }
        let many = JSON.array(Array(repeating: ["op": "add", "path": "/x", "value": "y"], count: 1_001))
        #expect(throws: APIError.self) { try ImagePatch(contentType: Self.type, body: many) }
    }
}
