import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("schemas are enforced as they are written")
struct JSONSchemaTests {
    private static let schema = JSONSchema([
        "definitions": ["name": ["type": "string", "maxLength": 3, "minLength": 1]],
        "required": ["id"], "additionalProperties": false,
        "properties": [
            "id": ["$ref": "#/definitions/name"], "size": ["type": ["null", "integer"], "minimum": 0, "maximum": 9],
            "kind": ["enum": ["a", nil]], "ratio": ["type": "number"], "flag": ["type": "boolean"],
            "list": ["type": "array", "minItems": 1, "uniqueItems": true, "items": ["type": "string"]],
            "map": ["type": "object", "additionalProperties": ["type": "integer"]],
            "count": ["allOf": [["type": "integer", "minimum": 0], ["default": 0]]], "any": [:]
        ]
    ])

    @Test(
        "good",
        arguments: [
            #"{"id": "a"}"#, #"{"id": "abc", "size": null}"#, #"{"id": "a", "size": 9, "ratio": 1.5, "flag": true}"#,
            #"{"id": "a", "kind": null, "list": ["x", "y"], "map": {"a": 1}, "count": 0, "any": [1, {}]}"#,
            #"{"id": "a", "size": 2.0, "ratio": 2}"#, #"{"id": "äöü"}"#
        ])
    func good(text: String) throws { try Self.schema.validate(try JSON.parse(text)) }

    static let wrong: [(String, String, String, [String])] = [
        ("{}", "'id' is a required property", "required", []),
        (#"{"id": ""}"#, "'' is too short", "minLength", ["id"]),
        (#"{"id": "abcd"}"#, "'abcd' is too long", "maxLength", ["id"]),
        (
            #"{"id": "a", "x": 1}"#, "Additional properties are not allowed ('x' was unexpected)",
            "additionalProperties", []
        ),
        (#"{"id": "a", "size": "1"}"#, "'1' is not of type 'null', 'integer'", "type", ["size"]),
        (#"{"id": "a", "size": true}"#, "True is not of type 'null', 'integer'", "type", ["size"]),
        (#"{"id": "a", "size": -1}"#, "-1 is less than the minimum of 0", "minimum", ["size"]),
        (#"{"id": "a", "size": 10}"#, "10 is greater than the maximum of 9", "maximum", ["size"]),
        (#"{"id": "a", "size": 1.5}"#, "1.5 is not of type 'null', 'integer'", "type", ["size"]),
        (#"{"id": "a", "kind": "b"}"#, "'b' is not one of ['a', None]", "enum", ["kind"]),
        (#"{"id": "a", "list": []}"#, "[] is too short", "minItems", ["list"]),
        (#"{"id": "a", "list": ["x", "x"]}"#, "['x', 'x'] has non-unique elements", "uniqueItems", ["list"]),
        (#"{"id": "a", "list": ["x", 5]}"#, "5 is not of type 'string'", "type", ["list", "1"]),
        (#"{"id": "a", "map": {"k": "v"}}"#, "'v' is not of type 'integer'", "type", ["map", "k"]),
        (#"{"id": "a", "count": -1}"#, "-1 is less than the minimum of 0", "minimum", ["count"])
    ]

    @Test("wrong, with the reason and the place", arguments: wrong)
    func bad(text: String, reason: String, keyword: String, path: [String]) throws {
        let value = try JSON.parse(text)
        let violation = #expect(throws: BodyFailure.self) { try Self.schema.validate(value) }
        #expect(violation?.text == reason)
        #expect(violation?.reason.keyword == keyword)
        #expect(violation?.path == path)
    }
}

@Suite("protected properties")
struct PropertyProtectionsTests {
    private static let file = """
        ; a comment
        [^secret_]
        create = admin
        read: Admin, auditor
        update = @
        delete = !

        [.*]
        create = @
        read = @
        update =
        delete = @
        """

    static let questions: [(PropertyProtections.Operation, String, String, Bool)] = [
        (.create, "secret_x", "admin", true), (.create, "secret_x", "member", false),
        (.read, "secret_x", "auditor", true), (.read, "secret_x", "member", false),
        (.update, "secret_x", "member", true), (.delete, "secret_x", "admin", false),
        (.create, "not_secret_x", "member", true), (.update, "other", "admin", false),
        (.update, "os_glance_importing", "member", true)
    ]

    @Test("the first section that fits decides", arguments: questions)
    func decide(operation: PropertyProtections.Operation, name: String, role: String, expected: Bool) throws {
        let guards = PropertyGuard(try PropertyProtections(parsing: Self.file)) { $0 == role }
        #expect(guards.allows(operation, name) == expected)
        #expect(guards.allows(operation, name) == expected)
    }

    @Test("what no section speaks of is nobody's; without protections everything is everybody's")
    func none() throws {
        let file = "[^x]\ncreate = @\nread = @\nupdate = @\ndelete = @"
        let guards = PropertyGuard(try PropertyProtections(parsing: file)) { _ in true }
        #expect(guards.allows(.read, "x1") && !guards.allows(.read, "y"))
        #expect(PropertyGuard().allows(.delete, "y"))
    }

    @Test("every wrong line is named")
    func wrongFile() {
        let failure = #expect(throws: PropertyProtections.Failure.self) {
            try PropertyProtections(
                parsing: "create = admin\n[(]\ncreate = @,!\nread = @\nwrite = @\n[b]\ncreate = @\nread = @\nupdate = @"
            )
        }
        #expect(
            failure?.problems == [
                "line 1: '[PATTERN]' or 'OPERATION = WHO' is expected.", "line 2: '(' is not a regular expression.",
                "line 3: '@' and '!' are mutually exclusive.",
                "line 5: 'write' is not create, read, update or delete.", "line 2: [(] says nothing of 'update'.",
                "line 2: [(] says nothing of 'delete'.", "line 6: [b] says nothing of 'delete'."
            ])
        #expect(throws: PropertyProtections.Failure.self) {
            try PropertyProtections(
                parsing: "[b]\ncreate = a,b\nread = @\nupdate = @\ndelete = @", format: .policies)
        }
    }
}
