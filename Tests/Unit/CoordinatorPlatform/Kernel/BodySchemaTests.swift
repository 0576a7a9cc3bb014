import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("bodies")
struct BodySchemaTests {
    private struct Draft: Sendable, Equatable {
        var name = ""
        var size: Int?
        var description: String??
        var isShared = false
        var tags: [String] = []
        var extra: [String: JSON] = [:]
    }

    private static func fields() -> [BodyField<Draft>] {
        [
            .required("name", \.name, .text(1...5)),
            .optional("size", \.size, .integer(0...9, orText: true)),
            .nullable("description", \.description, .text(0...9), since: 2),
            .given("shared", \.isShared, .flag({ BooleanWords.loose($0) })),
            .given("tags", \.tags, .list(of: .text(1...3), most: 2, isUnique: true))
        ]
    }

    private static func read(
        _ body: String, _ minor: Int = 2, unknown: BodySchema<Draft>.Unknown = .refused
    ) throws -> Draft {
        try BodySchema(blank: Draft(), unknown: unknown, notAllowed: ["id"], fields()).read(
            try JSON.parse(body), under: "thing", Microversion(2, minor)
        ) { .badRequest("\($0.path.joined(separator: "/")): \($0.text)") }
    }

    @Test("typed values come out")
    func values() throws {
        let draft = try Self.read(
            #"{"thing": {"name": "x", "size": "7", "description": null, "shared": "yes", "tags": ["a"]}}"#)
        #expect(draft == Draft(name: "x", size: 7, description: .some(nil), isShared: true, tags: ["a"]))
        #expect(try Self.read(#"{"thing": {"name": "x"}}"#) == Draft(name: "x"))
    }

    @Test(
        "refusals name the place and say what is wrong",
        arguments: [
            (#"[]"#, ": [] is not of type 'object'"),
            (#"{}"#, ": 'thing' is a required property"),
            (#"{"thing": 1}"#, "thing: 1 is not of type 'object'"),
            (
                #"{"thing": {"name": "x"}, "b": 1, "a": 2}"#,
                ": Additional properties are not allowed ('a', 'b' were unexpected)"
            ),
            (#"{"thing": {}}"#, "thing: 'name' is a required property"),
            (#"{"thing": {"name": ""}}"#, "thing/name: '' is too short"),
            (#"{"thing": {"name": "abcdef"}}"#, "thing/name: 'abcdef' is too long"),
            (#"{"thing": {"name": null}}"#, "thing/name: None is not of type 'string'"),
            (#"{"thing": {"name": "x", "size": 10}}"#, "thing/size: 10 is greater than the maximum of 9"),
            (#"{"thing": {"name": "x", "size": "-"}}"#, "thing/size: '-' does not match '^[0-9]+$'"),
            (
                #"{"thing": {"name": "x", "size": "99999999999999999999"}}"#,
                "thing/size: '99999999999999999999' is greater than the maximum of 9"
            ),
            (#"{"thing": {"name": "x", "size": true}}"#, "thing/size: True is not of type 'integer', 'string'"),
            (#"{"thing": {"name": "x", "description": 1}}"#, "thing/description: 1 is not of type 'string', 'null'"),
            (#"{"thing": {"name": "x", "tags": ["a", "b", "c"]}}"#, "thing/tags: ['a', 'b', 'c'] is too long"),
            (#"{"thing": {"name": "x", "tags": ["a", "a"]}}"#, "thing/tags: ['a', 'a'] has non-unique elements"),
            (#"{"thing": {"name": "x", "tags": ["a", "long"]}}"#, "thing/tags/1: 'long' is too long"),
            (#"{"thing": {"name": "x", "id": 1}}"#, "thing: 'id' is not allowed here"),
            (
                #"{"thing": {"name": "x", "id": 1, "y": 2}}"#,
                "thing: Additional properties are not allowed ('y' was unexpected)"
            )
        ])
    func refusals(body: String, message: String) {
        #expect(throws: APIError.badRequest(message)) { try Self.read(body) }
    }

    @Test("a member is unknown to the versions before it")
    func versions() throws {
        let body = #"{"thing": {"name": "x", "description": "d"}}"#
        #expect(try Self.read(body, 2).description == "d")
        #expect(throws: APIError.self) { try Self.read(body, 1) }
    }

    @Test("unknown members are kept or passed over where the service does so")
    func unknown() throws {
        let body = #"{"thing": {"name": "x", "colour": "red"}}"#
        #expect(try Self.read(body, unknown: .kept(\.extra)).extra == ["colour": "red"])
        #expect(try Self.read(body, unknown: .ignored) == Draft(name: "x"))
    }

    @Test("a refusal of a megabyte is no megabyte")
    func bounded() throws {
        let body = #"{"thing": {"name": ""# + String(repeating: "x", count: 1_000_000) + #""}}"#
        do {
            _ = try Self.read(body)
            Issue.record("taken")
        } catch let error as APIError { #expect(error.message.utf8.count < 2_000) }
    }
}
