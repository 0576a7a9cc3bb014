import CoordinatorCompute
import Crypto
import Testing

@Suite("patterns of names")
struct NamePatternTests {
    @Test(
        "finds what a regular expression finds",
        arguments: [
            ("web", "my-web-1", true), ("^web", "my-web", false), ("^web$", "web", true), ("^web$", "web1", false),
            ("w.b", "wAb", true), ("a*b", "b", true), ("a+b", "b", false), ("a+b", "aaab", true), ("ab?c", "ac", true),
            ("(one|two)-[0-9]+$", "two-17", true), ("(one|two)-[0-9]+$", "three-17", false), ("[^a-z]", "abc", false),
            ("[^a-z]", "ab1", true), ("\\.", "a.b", true), ("\\.", "ab", false), ("\\d\\d", "a12", true),
            ("WEB", "web", true),
            ("^(ab)+$", "ababab", true), ("^(ab)+$", "", false), ("^(ab)+$", "abba", false),
            ("x(a+b)+$", "xaabab", true),
            ("Ⓜ\u{200D}Ⓜ", "ⓜ\u{200D}ⓜ", true), ("[İ]", "i", false), ("İ", "xİ", true), ("^$", "", true),
            ("(a|b|)c", "c", true), ("a-b", "a-b", true), ("[a-]", "-", true), ("(?:x)y", "xy", true)
        ])
    func finds(pattern: String, text: String, found: Bool) throws {
        #expect(try #require(NamePattern(pattern)).isFound(in: text) == found)
    }

    @Test("what is no pattern is refused", arguments: ["", "(", ")", "*", "[", "[z-a]", "a(", "\\", "(?=x)"])
    func malformed(pattern: String) { #expect(NamePattern(pattern) == nil) }

    @Test("a pattern made to run for ever does not")
    func bounded() throws {
        let pattern = try #require(NamePattern("(a*)*(a*)*(a*)*b"))
        #expect(!pattern.isFound(in: String(repeating: "a", count: 255)))
        #expect(NamePattern(String(repeating: "(", count: 500)) == nil)
        // Each sign is compiled once, however deep it stands: nineteen would be half a million steps otherwise.
        for sign in ["+", "*", "?", "+?"] {
            let deep = String(repeating: "(", count: 19) + "a?" + String(repeating: ")\(sign)", count: 19)
            let pattern = try #require(NamePattern(deep + "$"))
            #expect(pattern.isFound(in: String(repeating: "a", count: 255)))
        }
        #expect(NamePattern(String(repeating: "(a|b)+", count: 160)) == nil)
        #expect(NamePattern(String(repeating: "a", count: 1001)) == nil)
    }
}

@Suite("guests' names and data")
struct GuestDataTests {
    @Test(
        "host names are DNS labels",
        arguments: [
            ("My Web_Server.1", "my-web-server-1"), ("--a--", "a"), ("äöü", ""), ("", ""), ("x", "x"),
            (String(repeating: "a", count: 70), String(repeating: "a", count: 63))
        ])
    func labels(name: String, label: String) { #expect(Hostname.label(name) == label) }

    @Test("base 64", arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }

    @Test("what is no base 64 is refused", arguments: ["Z", "Zg", "Zg=", "Zg===", "Z===", "Zm9v=", "Zm=9", "%%%%"])
    func notBase64(text: String) { #expect(Base64.decode(text) == nil) }

    @Test("base 64 may be broken into lines")
    func lines() { #expect(Base64.decode("Zm9v\nYmFy\r\n") == Array("foobar".utf8)) }
}

@Suite("SSH keys")
struct SSHKeyTests {
    /// `ssh-keygen -t ed25519`, and what `ssh-keygen -l -E md5` says of it.
    static let line =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f someone@example.org"

    @Test("a public key has a fingerprint")
    func parses() throws {
        let key = try #require(SSHKey.parse(Self.line))
        #expect(key.algorithm == "ssh-ed25519")
        #expect(key.fingerprint.split(separator: ":").count == 16)
        let other = "ssh-rsa AAAA nobody@example.org"
        for text in ["\n", "\r\n", "\n\n", "\n\(other)\n", "\n# a note"] {
            #expect(SSHKey.parse(Self.line + text)?.fingerprint == key.fingerprint)
        }
        #expect(SSHKey.parse(other + "\n" + Self.line) == nil)
        #expect(SSHKey.parse("\n" + Self.line) == nil)
    }

    @Test(
        "what is no key is refused",
        arguments: [
            "", "ssh-ed25519", "ssh-ed25519 AAAA",
            "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
            "ssh-dance AAAAC3NzaC1lZDI1NTE5", "ssh-ed25519 %%%", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAgAB"
        ])
    func refuses(line: String) { #expect(SSHKey.parse(line) == nil) }

    @Test("an RSA key's line is what ssh-keygen makes of the same numbers")
    func rsa() throws {
        // A modulus whose first bit is set, and one with zeros before it.
        let modulus = [0xC1] + [UInt8](repeating: 0x5A, count: 255)
        let line = SSHKey.rsaLine(modulus: [0, 0] + modulus, exponent: [1, 0, 1], comment: "test")
        let key = try #require(SSHKey.parse(line))
        #expect(key.algorithm == "ssh-rsa" && line.hasSuffix(" test"))
        #expect(line.hasPrefix("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDBWlpa"))
        #expect(key.blob.count == 4 + 7 + 4 + 3 + 4 + 257)
    }
}
