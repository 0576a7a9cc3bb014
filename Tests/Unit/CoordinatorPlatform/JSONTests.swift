import CoordinatorPlatform
import Testing
import TestsSupportRandomness

@Suite("JSON")
struct JSONTests {
    @Test(
        "valid texts",
        arguments: [
            ("null", JSON.null), (" true ", true), ("-0", .int(0)), ("9223372036854775807", .int(.max)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("1.5e2", .double(150)), ("[]", []),
            ("{}", [:]), (#"{"a":1,"a":2}"#, ["a": 2]), (#""\u00e9\ud83d\ude00\n\/""#, "é😀\n/"), ("\"grün\"", "grün"),
            ("[1, [2, {\"x\": null}]]", [1, [2, ["x": nil]]])
        ] as [(String, JSON)])
    func valid(text: String, value: JSON) throws {
        #expect(try JSON.parse(text) == value)
    }

    @Test(
        "invalid texts",
        arguments: [
            "", "nul", "01", "1.", ".5", "+1", "1e", "[1,]", "{\"a\"}", "{a:1}", "{\"a\":1,}", "\"", "\"\\x\"",
            "\"\u{1}\"",
            "[1] 2", "NaN", "1e999", #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, #""\u00zz""#, #""\u0000""#, "'a'"
        ])
    func invalid(text: String) {
        #expect(throws: JSONError.self) { try JSON.parse(text) }
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        #expect(throws: JSONError.self) { try JSON.parse([0x22, 0xFF, 0x22] as [UInt8]) }
        #expect(throws: JSONError.self) { try JSON.parse([0x22, 0x5C, 0x6E, 0xC0, 0x80, 0x22] as [UInt8]) }
    }

    @Test("nesting ends at the limit")
    func depth() throws {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        _ = try JSON.parse(deep)
        #expect(throws: JSONError.self) { try JSON.parse("[" + deep + "]") }
        #expect(throws: JSONError.self) { try JSON.parse(String(repeating: "[", count: 1_000_000)) }
    }

    @Test("what is written is read back the same")
    func roundTrip() throws {
        let value: JSON = [
            "text": "quote \" back \\ line \n bell \u{7} ünï 😀", "list": [1, -2, 0, 2.5, true, false, nil],
            "empty": [:],
            "min": .int(.min)
        ]
        #expect(try JSON.parse(value.serialize()) == value)
        #expect(JSON.array([.raw(Array("{\"x\":1}".utf8)), 2]).text == "[{\"x\":1},2]")
        #expect(JSON.double(.infinity).text == "null")
    }

    @Test("seeded damage never crashes and mostly fails")
    func damage() throws {
        var generator = SeededGenerator(seed: 7)
        let text = Array(#"{"server":{"name":"x","n":[1,2.5e3,true,null,"\u00e9"]}}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = text
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            if let value = try? JSON.parse(bytes.prefix(Int.random(in: 1...bytes.count, using: &generator))) {
                _ = value.serialize()
            }
        }
    }
}
