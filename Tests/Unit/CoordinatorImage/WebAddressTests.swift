import CoordinatorImage
import ProtocolModel
import Testing

@Suite("where web-download may go")
struct WebAddressTests {
    static func settings(_ hosts: [String], networks: [String] = []) -> ImageSettings.WebDownload {
        var settings = ImageSettings.WebDownload()
        settings.hosts = hosts
        settings.ports = [80, 443, 8080]
        settings.networks = networks.compactMap { IPPrefix($0) }
        return settings
    }

    @Test("what is on the list passes")
    func allowed() throws {
        let settings = Self.settings(
            ["example.org", "*.images.net", "93.184.216.34", "10.0.0.7"], networks: ["10.0.0.0/24"])
        for (text, host, port, target) in [
            ("http://example.org/a/b?c=d#e", "example.org", 80, "/a/b?c=d"),
            ("HTTPS://Example.ORG", "example.org", 443, "/"),
            ("https://example.org.:8080?x", "example.org", 8080, "/?x"),
            ("http://a.b.images.net/", "a.b.images.net", 80, "/"),
            ("http://93.184.216.34/x", "93.184.216.34", 80, "/x"),
            ("http://10.0.0.7/", "10.0.0.7", 80, "/")
        ] {
            let address = try WebAddress(text, allowed: settings)
            #expect(address.host == host && address.port == port && address.target == target, "\(text)")
        }
    }

    @Test(
        "everything else does not",
        arguments: [
            "file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "example.org/x", "http://",
            "http:///x", "http://other.org/", "http://example.org.evil.net/", "http://images.net/",
            "http://evilimages.net/", "http://example.org:22/", "http://example.org:0/", "http://example.org:99999/",
            "http://example.org:/", "http://user@example.org/", "http://example.org@127.0.0.1/",
            "http://example.org\\@127.0.0.1/", "http://127.0.0.1/", "http://localhost/", "http://[::1]/",
            "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest", "http://10.0.0.8/", "http://0x7f.1/",
            "http://2130706433/", "http://127.1/", "http://0/", "http://example.org/a b", "http://example.org/\r\nX: y",
            "http://exämple.org/", "http://example.org%2f@127.0.0.1/"
        ])
    func refused(text: String) {
        // Even an operator who names these hosts does not open private addresses by it.
        let settings = Self.settings(
            [
                "example.org", "*.images.net", "127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.8",
                "0x7f.1",
                "2130706433", "127.1", "0"
            ], networks: [])
        #expect(throws: WebAddress.Refusal.self) { try WebAddress(text, allowed: settings) }
    }

    @Test("addresses behind a name: only what the world can reach, and named networks")
    func addresses() throws {
        let open = Self.settings(["*"])
        let lab = Self.settings(["*"], networks: ["127.0.0.0/8", "fd00::/8"])
        for (text, isPublic, isInLab) in [
            ("93.184.216.34", true, true), ("8.8.8.8", true, true), ("2606:2800:220:1::1", true, true),
            ("127.0.0.1", false, true), ("10.1.2.3", false, false), ("172.31.0.1", false, false),
            ("192.168.1.1", false, false), ("169.254.169.254", false, false), ("100.64.0.1", false, false),
            ("0.0.0.0", false, false), ("224.0.0.1", false, false), ("255.255.255.255", false, false),
            ("::1", false, false), ("::", false, false), ("fe80::1", false, false), ("fd00::1", false, true),
            ("::ffff:10.0.0.1", false, false), ("2002:0a00:0001::", false, false), ("64:ff9b::a00:1", false, false),
            ("ff02::1", false, false)
        ] {
            let address = try #require(IPAddress(text))
            #expect(WebAddress.mayConnect(to: address, allowed: open) == isPublic, "\(text)")
            #expect(WebAddress.mayConnect(to: address, allowed: lab) == isInLab, "\(text)")
        }
    }
}
