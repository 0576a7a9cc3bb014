import CoordinatorCompute
import CoordinatorDaemon
import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import ProtocolSettings

extension FuzzTarget {
    /// What stands in requests and in operators' files.
    static let texts: [FuzzTarget] = [
        FuzzTarget(
            "JSON",
            texts: [
                #"{"server": {"name": "a\u00e9\ud83d\ude00", "min_count": 1, "x": [1.5e3, -0, true, null]}}"#, "[]",
                #"[[[[{"a":{"b":[{}]}}]]]]"#, #"{"a":"\"\\\/\b\f\n\r\t"}"#
            ], words: ["null", "true", "1e999", "-9223372036854775808", "\\ud800", "\\u0000", "{\"\":", "[", "}"]
        ) { text in
            let json = try JSON.parse(text)
            return try JSON.parse(json.text) == json ? nil : "it changes when it is written"
        },
        FuzzTarget(
            "policy expressions",
            texts: [
                "role:admin or (project_id:%(project_id)s and not role:reader)", "@", "!", "rule:owner",
                "(role:a and role:b) or 'member':%(role.name)s"
            ], words: [" and ", " or ", "not ", "(", ")", "%(", ")s", "rule:", "'", "http://x/%(a)s"]
        ) { text in
            let expression = try PolicyParser.parse(text)
            return try PolicyParser.parse(expression.description) == expression
                ? nil : "it means something else when it is written"
        },
        FuzzTarget(
            "policy files",
            texts: ["\"get_network\": \"role:reader\"\n# a comment\ncreate_port: '!'\n", "a: |\n  b\nc: [d, e]\n"],
            words: [": ", "\n", "- ", "|", "&a ", "*a", "!!str ", "{", "}", "\"", "%YAML 1.1\n---\n"], runs: 2_000
        ) { text in
            _ = try PolicyFile.parse(text)
            return nil
        },
        FuzzTarget(
            "name patterns", texts: ["^web-[0-9]+$", "(a|b)*c?", "[^a-z]\\.", "((a?)+)+", "(?:x)"],
            words: ["(", ")", "*", "+", "?", "|", "[", "]", "\\", "^", "$", ".", "{2,3}", "[a-"], runs: 2_000
        ) { text in
            guard let pattern = NamePattern(text) else { return nil }
            _ = pattern.isFound(in: "web-0042.example.org")
            _ = pattern.isFound(in: "")
            return nil
        },
        FuzzTarget(
            "queries", texts: ["name=a%20b&limit=10&sort_key=%C3%A9", "a&b=&=c&&%zz=%", "?x=%00"],
            words: ["%", "&", "=", "+", "%00", "%ff"]
        ) { text in
            for (name, value) in PercentCoding.query(text[...]) {
                let again = PercentCoding.query(PercentCoding.text([(name, value)]).dropFirst())
                guard again.first?.name == name, again.first?.value == value else {
                    return "'\(name)=\(value)' changes when it is written"
                }
            }
            return nil
        },
        FuzzTarget(
            "addresses and times",
            texts: [
                "192.0.2.1", "2001:db8::ffff:192.0.2.1/64", "52:54:00:12:34:56", "2026-11-30T16:00:00.123456Z",
                "f1e2d3c4-b5a6-4978-8899-aabbccddeeff", "bytes=0-499", "2.90", "fe80::1%eth0", "::"
            ], words: ["::", "/", "-", "T", "Z", "+00:00", "99", "%"]
        ) { text in
            if let address = IPAddress(text), IPAddress("\(address)") != address { return "another address" }
            if let prefix = IPPrefix(text), IPPrefix("\(prefix)") != prefix { return "another prefix" }
            if let address = MACAddress(text), MACAddress("\(address)") != address { return "another MAC address" }
            if let id = AnyID(text), AnyID(id.text) != id { return "another id" }
            _ = Timestamp.parse(text)
            _ = Microversion(text)
            _ = ByteRange.select(text, sizeBytes: 1_000)
            return nil
        },
        FuzzTarget(
            "web addresses",
            texts: ["https://example.org:8443/a/b?c#d", "http://[2001:db8::1]/x", "http://127.0.0.1@example.org/"],
            words: ["@", ":", "[", "]", "//", "%2f", "\\", "xn--", "0x7f.1"]
        ) { text in
            _ = try WebAddress(text, allowed: ImageSettings.WebDownload())
            return nil
        },
        FuzzTarget(
            "YAML", texts: ["listen: 0.0.0.0:8700\nlog:\n  level: info\n", "a: &x [1, 2]\nb: *x\n"],
            words: ["- ", ": ", "&x ", "*x", "<<: ", "|\n", ">\n", "? ", "!", "\t"], runs: 2_000
        ) { text in
            _ = try YAMLParser.parse(text)
            return nil
        }
    ]
}
