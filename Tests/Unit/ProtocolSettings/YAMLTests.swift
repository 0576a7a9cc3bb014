import ProtocolSettings
import Testing

@Suite("YAML")
struct YAMLTests {
    /// A node in one line: lists in brackets, mappings in braces, what is quoted in quotes.
    private static func text(_ node: YAMLNode) -> String {
        switch node.content {
        case .scalar(let text, true): text
        case .scalar(let text, false): "'\(text)'"
        case .sequence(let nodes): "[\(nodes.map(text).joined(separator: " "))]"
        case .mapping(let pairs): "{\(pairs.map { "\(text($0.key)):\(text($0.value))" }.joined(separator: " "))}"
        }
    }

    @Test(
        "what a text says",
        arguments: [
            ("a", "a"), ("'a: b'", "'a: b'"), (#""a\tb\u00fc""#, "'a\tbü'"), ("- 1\n- [x, {y: z}]", "[1 [x {y:z}]]"),
            ("a: 1\nb:\n  c: d # why\n  e:\n", "{a:1 b:{c:d e:}}"), ("a: |\n  one\n  two\n", "{a:'one\ntwo\n'}"),
            ("a: >-\n  one\n  two\n", "{a:'one two'}"), ("x: &n [1]\ny: *n", "{x:[1] y:[1]}"),
            (#"{"json": [true, null, "s"]}"#, "{'json':[true null 's']}"), ("%YAML 1.1\n---\na: b\n...\n", "{a:b}")
        ])
    func values(yaml: String, expected: String) throws {
        #expect(try YAMLParser.parse(yaml).map(Self.text) == expected)
    }

    @Test("nothing but comments is nothing", arguments: ["", "\n", "# a comment\n"])
    func empty(yaml: String) throws {
        let node = try YAMLParser.parse(yaml)
        #expect(node == nil)
    }

    @Test(
        "what is wrong, and where",
        arguments: [
            ("a: 1\nb: [", 3), ("a: b: c", 1), ("a: 1\na: 2", 2), ("a: *none", 1), ("a\n---\nb", 2), ("\tx: 1", 1),
            ("a: 'x", 1), ("a: \u{1}", 1)
        ])
    func errors(yaml: String, line: Int) {
        let error = #expect(throws: YAMLError.self) { try YAMLParser.parse(yaml) }
        #expect(error?.line == line, "\(error?.description ?? "")")
        #expect(error?.problem.isEmpty == false)
    }

    @Test("every node knows its line")
    func lines() throws {
        let root = try #require(try YAMLParser.parse("# first\na:\n  - x\n  -  y\nb: z"))
        let pairs = try #require(root.mapping)
        #expect(pairs.map(\.key.line) == [2, 5])
        #expect(pairs.map(\.value.line) == [3, 5])
        #expect(pairs.first?.value.sequence?.map(\.line) == [3, 4])
    }

    @Test(
        "numbers, truth values and nothing are plain texts",
        arguments: [
            ("1", Int64(1)), ("-12", -12), ("+7", 7), ("1_000", 1_000), ("0x1F", 31), ("-0b101", -5), ("0o17", 15),
            ("017", 15), ("0", 0), ("08", nil), ("'1'", nil), ("1.5", nil), ("", nil), ("_", nil), ("-", nil),
            ("9223372036854775808", nil), ("0x", nil)
        ])
    func integers(yaml: String, number: Int64?) throws {
        #expect(try YAMLParser.parse("[\(yaml)]")?.sequence?.first?.int == number)
    }

    @Test(
        "truth values",
        arguments: [("true", true), ("Yes", true), ("ON", true), ("no", false), ("'true'", nil), ("1", nil)])
    func truth(yaml: String, flag: Bool?) throws {
        #expect(try YAMLParser.parse(yaml)?.bool == flag)
    }

    @Test("nothing", arguments: [("~", true), ("null", true), ("'null'", false), ("nil", false), ("[]", false)])
    func nothing(yaml: String, isNull: Bool) throws {
        #expect(try YAMLParser.parse(yaml)?.isNull == isNull)
    }

    @Test("no nesting is too deep to be answered")
    func depth() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: YAMLError.self) { try YAMLParser.parse(deep) }
    }
}
